import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'

/** One request, as the client saw it. */
export interface Sent {
  /** When it was due, ms, monotonic. */
  readonly at: number
  /** ms until the whole answer was there, or it was known that none comes. */
  readonly took: number
  /** 0 when no whole answer came. */
  readonly status: number
  /** Who answered, '' if no backend did. */
  readonly backend: string
  /** Why it failed: `status 502`, `ECONNRESET`; '' if it did not. */
  readonly problem: string
}

const program = fileURLToPath(new URL('./client-program.ts', import.meta.url))

/** The process that plays all clients. */
export class Client {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  /** Starts it; nothing is sent yet. `rate`: requests a second. */
  static async start(port: number, rate: number): Promise<Client> {
    const child = new Child(process.execPath, [program, String(port), String(rate)], { side: 'load', talks: true })
    await child.ask<string>()
    return new Client(child)
  }

  /** Begins to send; answers when (ms, monotonic). */
  begin(): Promise<number> {
    return this.#child.ask<number>('begin')
  }

  /** Sends no more, waits for what is under way, and tells of every request in the order in which they were due. */
  end(): Promise<Sent[]> {
    return this.#child.ask<Sent[]>('end')
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }
}
