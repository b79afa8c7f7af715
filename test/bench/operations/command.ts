import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import { descendants } from '../cpu-time.ts'
import { freePorts } from '../free-port.ts'
import { ask, type Answer, type InstanceView } from './admin-api.ts'

const cli = fileURLToPath(new URL('../../../packages/fastify-balancer/src/cli.ts', import.meta.url))
const certificates = fileURLToPath(new URL('../../support/certificates', import.meta.url))
const tls = { cert: join(certificates, 'localhost.cert.pem'), key: join(certificates, 'localhost.key.pem') }

/** So long anything may take (ms). */
const patience = 60_000

/** The command with several workers: HTTP/1.1 at one port, HTTP/2 over TLS at another, the admin API at a third. */
export class Command {
  readonly child: Child
  readonly plainPort: number
  readonly tlsPort: number
  readonly adminPort: number
  readonly workers: number
  readonly #file: string
  readonly #fixed: object

  private constructor(directory: string, workers: number, ports: readonly number[], balancer: object) {
    const [plainPort = 0, tlsPort = 0, adminPort = 0] = ports
    mkdirSync(directory, { recursive: true })
    this.plainPort = plainPort
    this.tlsPort = tlsPort
    this.adminPort = adminPort
    this.workers = workers
    this.#file = join(directory, 'balancer.json')
    this.#fixed = {
      workers,
      listen: [{ port: plainPort }, { port: tlsPort, tls, http2: true }],
      admin: { insecure: true, listen: { port: adminPort } },
      metrics: {},
      // Of the level `warn`, a request is no line.
      log: { level: 'warn', form: 'json' },
    }
    this.write(balancer)
    this.child = new Child(process.execPath, [cli, '--config', this.#file], { side: 'both' })
  }

  /** Starts it, with one balancer, and waits until all workers are ready. */
  static async start(directory: string, balancer: object, workers = 2): Promise<Command> {
    const command = new Command(directory, workers, await freePorts(3), balancer)
    await command.allReady()
    return command
  }

  get plainUrl(): string {
    return `http://127.0.0.1:${this.plainPort}/`
  }

  get tlsUrl(): string {
    return `https://127.0.0.1:${this.tlsPort}/`
  }

  /** The process ids of the workers; of one worker, that of the command itself. */
  get pids(): readonly number[] {
    return this.workers === 1 ? [this.child.pid] : descendants(this.child.pid).slice(1)
  }

  /** Writes its file again. */
  write(balancer: object): void {
    writeFileSync(this.#file, JSON.stringify({ ...this.#fixed, balancers: [balancer] }))
  }

  signal(name: NodeJS.Signals): void {
    this.child.process.kill(name)
  }

  ask(path: string, options: Parameters<typeof ask>[2] = {}): Promise<Answer> {
    return ask(this.adminPort, path, options)
  }

  async instances(): Promise<readonly InstanceView[]> {
    const { text } = await this.ask('/_balancer/instances')
    return (JSON.parse(text) as { readonly instances: readonly InstanceView[] }).instances
  }

  /** Waits until as many workers as wanted are ready, none is left of others, and all have the same in force; answers its digest. */
  async allReady(isGood: (one: { pids: readonly number[]; digest: string }) => boolean = () => true): Promise<string> {
    const deadline = performance.now() + patience
    for (;;) {
      const all = await this.instances().catch(() => [])
      const digests = new Set(
        all.flatMap(({ balancers }) => balancers.map(({ revision, digest }) => `${revision} ${digest}`)),
      )
      const pids = all.map(({ process: { pid } }) => pid)
      const areReady = all.length === this.workers && all.every(({ state }) => state === 'ready')
      const areThere = this.pids.length === this.workers && pids.every((pid) => this.pids.includes(pid))
      const [digest] = digests
      if (areReady && areThere && digests.size === 1 && isGood({ pids, digest: digest! })) return digest!
      this.child.assertAlive()
      if (performance.now() > deadline) throw new Error(`not ready: ${JSON.stringify({ all, pids: this.pids })}`)
      await after(20)
    }
  }

  /** Replaces all workers, and waits until the ones before have gone. */
  async restart(): Promise<void> {
    const before = this.pids
    this.signal('SIGUSR2')
    await this.allReady(({ pids }) => pids.every((pid) => !before.includes(pid)))
  }

  /** Requests that have ended, of all workers, as one of them tells. */
  async requestsInMetrics(): Promise<number> {
    const { text } = await this.ask('/metrics')
    const lines = text.matchAll(/^fastify_balancer_requests_total\{.*\} (\d+)$/gm)
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
  }
}
