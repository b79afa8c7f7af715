import type { FastifyInstance } from 'fastify'
import { setImmediate } from 'node:timers/promises'

const levels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * Keeps lines out of the log until a worker listens: all workers would say the same. The first worker says what warns, and what
 * plugins have to say once they listen.
 */
export class Silence {
  readonly #isFirst: boolean
  readonly #before = new Map<FastifyInstance, string>()

  constructor(isFirst: boolean) {
    this.#isFirst = isFirst
  }

  /** Of an app that has no plugins yet: this hook is to be the first. */
  add(app: FastifyInstance): void {
    this.#before.set(app, app.log.level)
    if (this.#isFirst) app.addHook('onListen', async () => this.#speak(app))
  }

  begin(): void {
    const from = this.#isFirst ? 'warn' : 'error'
    for (const { log } of this.#before.keys()) if (levels.indexOf(log.level) < levels.indexOf(from)) log.level = from
  }

  async end(): Promise<void> {
    // Plugins are told right after it listens.
    await setImmediate()
    for (const app of this.#before.keys()) this.#speak(app)
  }

  #speak(app: FastifyInstance): void {
    app.log.level = this.#before.get(app)!
  }
}
