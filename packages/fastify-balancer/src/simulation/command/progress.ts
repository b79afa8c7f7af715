import type { ProgressListener } from '../simulate.ts'

/** How often the line is written anew (ms). */
const period = 100

/** A line on a terminal that says how far a simulation is. */
export class ProgressLine {
  readonly #write: (text: string) => void
  #writtenAt: number

  /** Nothing is written in the first `period`: what is over by then needs no line. */
  constructor(write: (text: string) => void) {
    this.#write = write
    this.#writtenAt = performance.now()
  }

  readonly tell: ProgressListener = (policy, part) => {
    const now = performance.now()
    if (now - this.#writtenAt < period) return
    this.#writtenAt = now
    this.#write(`\r\u001B[K${policy}: ${Math.floor(part * 100)} %`)
  }

  /** Takes the line away. */
  clear(): void {
    this.#write('\r\u001B[K')
  }
}
