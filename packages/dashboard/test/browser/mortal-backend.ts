import type { ServerResponse } from 'node:http'
import { unusedOrigin } from '../../../../test/support/backend.ts'
import { MortalServer } from '../../../../test/support/mortal-server.ts'

/** A backend that can be killed, brought back to life at the same address, and told to keep requests waiting. */
export class MortalBackend {
  readonly id: string
  readonly url: string
  /** It answers so many ms after it was asked. */
  readonly #delay: number
  readonly #held: ServerResponse[] = []
  #isHolding = false
  #status = 200
  readonly #server: MortalServer
  /** How many requests it was asked, probes left out. */
  asked = 0

  private constructor(id: string, url: string, delay: number) {
    this.id = id
    this.url = url
    this.#delay = delay
    this.#server = new MortalServer(url, ({ method }, response) => this.#onRequest(method!, response))
  }

  /** Starts one that answers after `delay` ms. It is called `id`, or by its origin. */
  static async start(id: string | undefined, delay: number): Promise<MortalBackend> {
    const url = await unusedOrigin()
    const backend = new MortalBackend(id ?? url, url, delay)
    await backend.live()
    return backend
  }

  /** Listens, again perhaps. */
  live(): Promise<void> {
    return this.#server.live()
  }

  /** Stops listening and cuts every connection. */
  die(): Promise<void> {
    return this.#server.die()
  }

  /** From now on, it answers with this status. */
  answerWith(status: number): void {
    this.#status = status
  }

  /** From now on, whoever asks waits. */
  hold(): void {
    this.#isHolding = true
  }

  /** Answers all that wait, and whoever asks from now on. */
  release(): void {
    this.#isHolding = false
    for (const response of this.#held.splice(0)) response.end(this.id)
  }

  #onRequest(method: string, response: ServerResponse): void {
    if (method === 'HEAD') {
      response.end()
      return
    }
    this.asked++
    response.statusCode = this.#status
    if (this.#isHolding) this.#held.push(response)
    else setTimeout(() => response.end(this.id), this.#delay)
  }
}
