import type { Backend } from '@fastify-balancer/balancer-core'
import { faded, Observed } from './observed.ts'

/** What a new response counts for in the mean of its level. */
const share = 0.3
/** A response counts as at most so many times the mean. */
const mostTimes = 5
/** How fast a level that is not measured any more is forgotten: time constant (ms). */
const decay = 5000

/** The level of a load: 0, 1, 2–3, 4–7 … */
const levelOf = (load: number) => 32 - Math.clz32(load)

/** A backend's response times by its load at the arrival of each request: means of levels, each twice as wide as the last. */
export class LatencyAtLoad extends Observed {
  readonly #penalty: number
  /** Of each level, in ms; -1 where nothing was measured: with `undefined` among them, each number would be an object. */
  readonly #means: number[] = []
  readonly #at: number[] = []

  constructor(backend: Backend, penalty: number) {
    super(backend)
    this.#penalty = penalty
  }

  override responded(duration: number, now: number, load = this.backend.inFlight): void {
    this.#add(levelOf(load), duration, now, mostTimes)
  }

  override failed(now: number): void {
    if (this.#penalty > 0) this.#add(levelOf(this.backend.inFlight), this.#penalty, now, Infinity)
  }

  /** At the load of now, or the nearest level that was measured; lower ones first. */
  override time(now: number): number | undefined {
    const level = this.#nearest(levelOf(this.backend.inFlight))
    if (level === undefined) return undefined
    return Math.max(faded(this.#means[level]!, now - this.#at[level]!, decay), this.silence(now))
  }

  #nearest(level: number): number | undefined {
    for (let one = Math.min(level, this.#means.length - 1); one >= 0; one--) if (this.#means[one]! >= 0) return one
    for (let one = level + 1; one < this.#means.length; one++) if (this.#means[one]! >= 0) return one
    return undefined
  }

  #add(level: number, duration: number, now: number, most: number): void {
    for (let one = this.#means.length; one <= level; one++) {
      this.#means.push(-1)
      this.#at.push(-1)
    }
    const mean = this.#means[level]!
    this.#means[level] = mean < 0 ? duration : mean + share * (Math.min(duration, most * Math.max(mean, 1)) - mean)
    this.#at[level] = now
  }
}
