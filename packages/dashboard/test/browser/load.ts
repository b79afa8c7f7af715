import { Agent } from 'node:http'
import { ask } from '../../../../test/support/ask.ts'

/** A few clients that ask without end, each its next question when it has the answer to the last. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #clients: Promise<void>[]
  #isOver = false
  /** How many have been answered, well or not. */
  answered = 0
  /** How many of them with each status. */
  readonly byStatus = new Map<number, number>()

  /** As many clients as `clients` ask for `url`. */
  constructor(url: string, clients: number) {
    this.#clients = Array.from({ length: clients }, () => this.#askAgainAndAgain(url))
  }

  /** Resolves once the last answer is there. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients)
    this.#agent.destroy()
  }

  async #askAgainAndAgain(url: string): Promise<void> {
    while (!this.#isOver) {
      const { status } = await ask(url, { agent: this.#agent })
      if (status === 0) await new Promise(setImmediate)
      else {
        this.answered++
        this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1)
      }
    }
  }
}
