import fastifyBalancer, { type Balancer, type BalancerOptions } from 'fastify-balancer'
import Fastify, { type FastifyInstance } from 'fastify'
import { once } from 'node:events'
import { Agent } from 'node:http'
import type { TestContext } from 'node:test'
import { authorizationOf, mustOperate, mustSignIn, userOf } from '../../packages/dashboard/test/browser/users.ts'
import { listenApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { startChild } from '../support/child.ts'
import { LogLines } from '../support/log-lines.ts'
import { IncidentTime, probeTimeout } from './incident-time.ts'
import { SickBackend } from './sick-backend.ts'

const ids = ['b1', 'b2', 'b3', 'b4', 'b5']

/** How often the event loop turns without any news until nothing is under way any more. */
const enough = 4

/** What clients saw, by status. */
export type Seen = Record<number, number>

/** How the stage is set. */
export interface StageOptions {
  /** Of the balancer, beside those that all incidents have. */
  readonly balancer?: BalancerOptions
  /** `b2` is a process of its own. */
  readonly ownProcess?: boolean
}

/** A balancer with everything around it, as an operator has it in production, with five backends and clients that count. */
export class Stage {
  readonly backends: ReadonlyMap<string, SickBackend>
  readonly log: LogLines
  readonly time: IncidentTime
  /** What clients have got, by status. */
  readonly seen: Seen = {}
  /** Kills the process of `b2`, if it has one of its own. */
  readonly kill: () => Promise<void>
  readonly url: string
  readonly app: FastifyInstance
  readonly #agent = new Agent({ keepAlive: true })
  readonly #kept: unknown[] = []
  #clients = 10
  #open = 0

  private constructor(parts: Pick<Stage, 'backends' | 'log' | 'time' | 'kill' | 'url' | 'app'>) {
    ;({
      backends: this.backends,
      log: this.log,
      time: this.time,
      kill: this.kill,
      url: this.url,
      app: this.app,
    } = parts)
  }

  /** Starts everything; it ends with the test. `lasts`: how much time will pass, in ms. */
  static async start(
    t: TestContext,
    lasts: number,
    { ownProcess = false, balancer = {} }: StageOptions = {},
  ): Promise<Stage> {
    const time = new IncidentTime(t, lasts)
    const log = new LogLines()
    const backends = new Map<string, SickBackend>()
    for (const id of ids) {
      const backend = await SickBackend.start(id, time)
      t.after(() => backend.die())
      backends.set(id, backend)
    }
    const listed = [...backends.values()].map(({ id, url }) => ({ id, url }))
    let kill = async () => {}
    if (ownProcess) {
      const { child, first } = await startChild(t, new URL('mortal-process.ts', import.meta.url))
      listed[1] = { id: 'b2', url: first as string }
      kill = async () => {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
    const app = Fastify({ logger: log })
    await app.register(fastifyBalancer, {
      name: 'shop',
      backends: listed,
      clock: time,
      random: () => 0.5,
      healthCheck: { timeout: probeTimeout },
      underPressure: { maxEventLoopDelay: 0, maxHeapUsedBytes: 1e12 },
      admin: {
        onRequest: mustSignIn,
        operate: { onRequest: mustOperate },
        user: (request) => userOf(request) && 'maria',
      },
      metrics: true,
      dashboard: true,
      ...balancer,
    })
    const { url } = await listenApp(t, app)
    const stage = new Stage({ backends, log, time, kill, url, app })
    t.after(() => stage.#agent.destroy())
    return stage
  }

  get balancer(): Balancer {
    return this.app.balancers.get('shop')!
  }

  /** @throws when there is no such backend */
  backend(id: string): SickBackend {
    return this.backends.get(id)!
  }

  /** Holds something in memory until the test is over. */
  keep(what: unknown): void {
    this.#kept.push(what)
  }

  /** What an operator asks the admin API. */
  async order(method: string, path: string, body?: object): Promise<Answer> {
    const headers = { authorization: authorizationOf('operator'), 'content-type': 'application/json' }
    return ask(`${this.url}/_balancer${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  }

  /** Lets so many seconds pass; in each of them as many clients ask, all at once: as many as before, if nobody says. */
  async pass(seconds: number, clients = this.#clients): Promise<void> {
    this.#clients = clients
    for (let second = 0; second < seconds; second++) {
      for (let client = 0; client < clients; client++) this.#ask()
      await this.#settled()
      await this.#advance(1000)
    }
  }

  /** A client asks. */
  #ask(): void {
    this.#open++
    void ask(`${this.url}/`, { agent: this.#agent }).then(({ status }) => {
      this.#open--
      this.seen[status] = (this.seen[status] ?? 0) + 1
    })
  }

  /** From timer to timer: what one of them sets off is over before the next is due. */
  async #advance(duration: number): Promise<void> {
    const { time } = this
    const end = time.now() + duration
    while (time.now() < end) {
      time.advance(Math.min(time.due ?? end, end) - time.now())
      await this.#settled()
    }
  }

  /** Waits until everything that is under way waits for the clock: at a backend, or in the queue. */
  async #settled(): Promise<void> {
    for (let calm = 0; calm < enough; calm++) {
      if (!this.#isCalm) calm = -1
      await new Promise(setImmediate)
    }
  }

  get #isCalm(): boolean {
    const { balancer } = this
    let inFlight = 0
    let held = 0
    let heldProbes = 0
    for (const backend of balancer.backends) inFlight += backend.inFlight
    for (const backend of this.backends.values()) {
      held += backend.held
      heldProbes += backend.heldProbes
    }
    const isAnswered = balancer.exchanges === this.#open
    return (
      isAnswered &&
      inFlight === held &&
      balancer.queue.length + inFlight === this.#open &&
      this.time.probes === heldProbes
    )
  }
}
