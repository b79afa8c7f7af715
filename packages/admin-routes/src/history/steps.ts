import type { Resolution } from './resolutions.ts'

/**
 * The last steps of one length, by the time of day: each begins at a multiple of that length since the epoch. A ring of
 * places, each of which holds one step.
 */
export class Steps {
  /** In ms. */
  readonly length: number
  readonly count: number
  /** The step that is being measured. */
  current = -1
  /** The step in each place, -1 without one. */
  readonly #held: Float64Array

  constructor({ step, count }: Resolution) {
    this.length = step
    this.count = count
    this.#held = new Float64Array(count).fill(-1)
  }

  /** The place of the step that is being measured. */
  get place(): number {
    return this.current % this.count
  }

  /** The step of a time (ms since the epoch). */
  of(time: number): number {
    return Math.floor(time / this.length)
  }

  /** Begins a step, in the place of an older one. Steps that are left out were not measured: this process was paused. */
  open(step: number): void {
    // The clock was set back: what is later than now belongs to no time of the past.
    if (step < this.current) for (const [place, held] of this.#held.entries()) if (held > step) this.#held[place] = -1
    this.current = step
    this.#held[this.place] = step
  }

  /** The place of a step; undefined if it was not measured, or is no longer kept. */
  placeOf(step: number): number | undefined {
    const place = step % this.count
    return this.#held[place] === step ? place : undefined
  }
}
