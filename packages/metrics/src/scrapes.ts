import type { FastifyReply, FastifyRequest } from 'fastify'
import { TooManyScrapesError } from './errors.ts'
import type { Form } from './exposition/exposition.ts'

/** Most scrapes at once: each holds the text of all metrics until its client has read it. */
const most = 16

/** Longest duration of a scrape (ms). Prometheus gives up after 10 s by default. */
const patience = 60_000

/** Counts running scrapes. A client that disconnects, or does not read the response, frees its place. */
export class Scrapes {
  readonly #write: (form: Form) => Promise<Buffer>
  readonly #writing = new Map<Form, Promise<Buffer>>()
  #size = 0

  constructor(write: (form: Form) => Promise<Buffer>) {
    this.#write = write
  }

  /** Takes a place until the response has been sent. @throws TooManyScrapesError */
  begin({ raw: request }: FastifyRequest, { raw: response }: FastifyReply): void {
    if (this.#size >= most) throw new TooManyScrapesError(most)
    this.#size++
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      this.#size--
      clearTimeout(timer)
    }
    const timer = setTimeout(() => {
      end()
      request.destroy()
      response.destroy()
    }, patience).unref()
    response.once('close', end)
    // A pipelined response does not notice a lost connection; its request does.
    request.once('close', () => request.errored !== null && end())
  }

  /** The text of all metrics. Scrapes that arrive while it is being written share it. */
  text(form: Form): Promise<Buffer> {
    const known = this.#writing.get(form)
    if (known !== undefined) return known
    // One copy in memory, however many clients read it slowly.
    const writing = this.#write(form).finally(() => this.#writing.delete(form))
    this.#writing.set(form, writing)
    return writing
  }
}
