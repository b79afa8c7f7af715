import { readFileSync, statSync } from 'node:fs'
import type { Clock } from '../../clock.ts'

/** Shortest time between two checks whether a file has changed (ms). */
const period = 1000

/**
 * A small system file, read again when it has changed; a missing or unreadable one counts as empty. Reading is
 * synchronous: it is local, takes microseconds, and must not wait for the threads that look-ups of others may fill.
 */
export class WatchedFile<Content> {
  readonly #path: string
  readonly #parse: (text: string) => Content
  readonly #clock: Clock
  #lookedAt = -Infinity
  /** Fingerprint by which a change is noticed. */
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
    try {
      const { ino, size, mtimeMs } = statSync(this.#path)
      this.#read(`${ino} ${size} ${mtimeMs}`, () => readFileSync(this.#path, 'utf8'))
    } catch {
      this.#read('', () => '')
    }
    return this.#content
  }

  #read(mark: string, text: () => string): void {
    if (mark === this.#mark) return
    this.#content = this.#parse(text())
    this.#mark = mark
  }
}
