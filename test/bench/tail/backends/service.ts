/** When a backend is slower than usual, again and again. Times in ms after the beginning. */
export interface Spells {
  readonly every: number
  readonly from: number
  readonly lasts: number
  /** 0 = it stands still, 0.2 = all takes five times as long. */
  readonly speed: number
}

/** A backend as a queueing system. */
export interface ServiceSettings {
  /** Requests that it works on at once; others wait, first come, first served. */
  readonly slots: number
  /** ms of work that a request is, on average. */
  readonly mean: number
  readonly spells?: Spells
}

/**
 * Works out when each request will be done. Times are exact however late a timer is: the next request begins when the
 * one before it was to end.
 */
export class Service {
  readonly #mean: number
  readonly #spells: Spells | undefined
  /** When each slot is free again. */
  readonly #free: Float64Array

  constructor({ slots, mean, spells }: ServiceSettings) {
    this.#mean = mean
    this.#spells = spells
    this.#free = new Float64Array(slots)
  }

  /** When a request of this size (1 = the mean) will be done that comes at `at`. To be asked in the order in which they come. */
  finish(at: number, size: number): number {
    const free = this.#free
    let first = 0
    for (let slot = 1; slot < free.length; slot++) if (free[slot]! < free[first]!) first = slot
    return (free[first] = endOfWork(Math.max(at, free[first]!), size * this.#mean, this.#spells))
  }
}

/** When `work` (ms at full speed) is done that begins at `start`. */
export function endOfWork(start: number, work: number, spells: Spells | undefined): number {
  if (spells === undefined) return start + work
  const { every, from, lasts, speed } = spells
  // Times within the period count from where the spell begins.
  let time = start
  let left = work
  for (;;) {
    const phase = (((time - from) % every) + every) % every
    const isSlow = phase < lasts
    const pace = isSlow ? speed : 1
    const room = (isSlow ? lasts : every) - phase
    if (left <= room * pace) return time + (pace === 0 ? 0 : left / pace)
    left -= room * pace
    time += room
  }
}
