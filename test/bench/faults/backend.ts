import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import { lastingPorts } from './lasting-ports.ts'

/** What a backend does with work: it takes its time, answers 500 in a millisecond, or takes twenty times as long. */
export type Conduct = 'normal' | 'errors' | 'slow'

const program = fileURLToPath(new URL('./backend-program.ts', import.meta.url))

/** A backend that can be made sick in many ways. Each is a process of its own. */
export class Backend {
  readonly name: string
  readonly port: number
  #child: Child | undefined

  constructor(name: string, port: number) {
    this.name = name
    this.port = port
  }

  /** Starts it, again on the same port when it was killed. Resolves when it listens. */
  async start(): Promise<void> {
    this.#child = new Child(process.execPath, [program, this.name, String(this.port)], { side: 'load', talks: true })
    await this.#child.ask<number>()
  }

  get #running(): Child {
    if (this.#child === undefined) throw new Error(`Backend ${this.name} does not run`)
    return this.#child
  }

  /** Answers when it began to behave so (ms, monotonic). */
  conduct(conduct: Conduct): Promise<number> {
    return this.#running.ask<number>(conduct)
  }

  /** Stops its process (SIGSTOP). The system goes on accepting connections and data in its name. */
  suspend(): void {
    process.kill(this.#running.pid, 'SIGSTOP')
  }

  async kill(): Promise<void> {
    const child = this.#running
    this.#child = undefined
    await child.stop()
  }

  /** When each request for work came (ms, monotonic), since it was started last. Not to be asked of a suspended one. */
  arrivals(): Promise<number[]> {
    return this.#running.ask<number[]>('arrivals')
  }

  /** Ends it, whatever its state. */
  async end(): Promise<void> {
    await this.#child?.stop()
  }
}

/** Starts four of them. */
export async function startBackends(): Promise<Backend[]> {
  const names = ['a', 'b', 'c', 'd']
  const ports = await lastingPorts(names.length)
  const backends = names.map((name, index) => new Backend(name, ports[index]!))
  await Promise.all(backends.map((backend) => backend.start()))
  return backends
}
