import type { FastifyReply, FastifyRequest } from 'fastify'
import { TooManyScrapesError } from './errors.ts'
import type { Form } from './exposition/exposition.ts'

/** So many at once: each holds the text of all figures until its client has taken it. */
const most = 16

/** In ms: Prometheus gives up after 10 s, if it is not told otherwise. */
const patience = 60_000

/** The scrapes that are under way. A client that goes, or does not read what it has asked for, gives its place back. */
export class Scrapes {
  readonly #write: (form: Form) => Promise<Buffer>
  readonly #writing = new Map<Form, Promise<Buffer>>()
  #size = 0

  constructor(write: (form: Form) => Promise<Buffer>) {
    this.#write = write
  }

  /** Takes a place until the answer has been sent. @throws TooManyScrapesError */
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
    // One that stands behind another on its connection is not told when that is lost.
    request.once('close', () => request.errored !== null && end())
  }

  /** All figures. Those who ask while they are being written get the same: however many come and go, it is done once. */
  text(form: Form): Promise<Buffer> {
    const known = this.#writing.get(form)
    if (known !== undefined) return known
    // However many there are who do not read it, it is there once.
    const writing = this.#write(form).finally(() => this.#writing.delete(form))
    this.#writing.set(form, writing)
    return writing
  }
}
