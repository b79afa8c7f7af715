import { readFileSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { markOf } from './file-mark.ts'

/** Shortest time between two checks whether a file has changed (ms). */
const period = 1000

/** A small system file, read again when it has changed; a missing or unreadable one counts as empty. */
export class WatchedFile<Content> {
  readonly #path: string
  readonly #parse: (text: string) => Content
  readonly #clock: Clock
  #lookedAt = -Infinity
  #mark = ''
  #content: Content

  constructor(path: string, parse: (text: string) => Content, clock: Clock) {
    this.#path = path
    this.#parse = parse
    this.#clock = clock
    this.#content = parse('')
  }

  /** The parsed content; the same object as long as the file has not changed. */
  get content(): Content {
    const now = this.#clock.now()
    if (now - this.#lookedAt < period) return this.#content
    this.#lookedAt = now
    const mark = markOf(this.#path)
    if (mark === this.#mark) return this.#content
    try {
      this.#content = this.#parse(mark === '' ? '' : readFileSync(this.#path, 'utf8'))
      this.#mark = mark
    } catch {
      this.#content = this.#parse('')
      this.#mark = ''
    }
    return this.#content
  }
}
