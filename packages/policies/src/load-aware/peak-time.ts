import type { Backend } from '@fastify-balancer/balancer-core'
import { faded, Observed } from './observed.ts'

/** No single response counts for more than this share of the mean, however rare responses are (C3's and Elasticsearch's). */
const mostOfOne = 0.3

/** A response counts as at most so many times the mean, so that one rare long one says little. */
const mostTimes = 5

/** How response times become one figure. */
export interface PeakSettings {
  /** The time constant of the mean, in ms. */
  readonly average: number
  /** The time constant with which an unused backend's past fades, in ms. */
  readonly decay: number
  /** The response time that a failure counts as, in ms. */
  readonly penalty: number
  readonly peaks: 'silence' | 'response'
}

/** The response time of a backend: a moving mean that jumps up to peaks. See `peak-ewma.ts` for the rule. */
export class PeakTime extends Observed {
  readonly #settings: PeakSettings
  #mean = 0
  /** When the mean was last changed, in ms; -1 = never. */
  #at = -1

  constructor(backend: Backend, settings: PeakSettings) {
    super(backend)
    this.#settings = settings
  }

  override responded(duration: number, now: number): void {
    const { peaks } = this.#settings
    if (peaks === 'response' && duration > this.#mean) this.#set(duration, now)
    else if (this.#at === -1) this.#set(duration, now)
    // A mean of 0 could never rise by multiples of itself.
    else this.#average(peaks === 'response' ? duration : Math.min(duration, mostTimes * Math.max(this.#mean, 1)), now)
  }

  override failed(now: number): void {
    const { penalty } = this.#settings
    if (penalty === 0) return
    if (this.#at === -1) this.#set(penalty, now)
    else this.#average(penalty, now)
  }

  override time(now: number): number | undefined {
    if (this.#at === -1) return undefined
    const time = faded(this.#mean, now - this.#at, this.#settings.decay)
    return this.#settings.peaks === 'silence' ? Math.max(time, this.silence(now)) : time
  }

  cost(now: number, meanWeight: number): number {
    const time = this.time(now)
    return time === undefined ? this.unknownCost(now, meanWeight) : this.costAt(time, now, meanWeight)
  }

  #average(duration: number, now: number): void {
    const share = Math.min(1 - Math.exp((this.#at - now) / this.#settings.average), mostOfOne)
    this.#set(this.#mean + (duration - this.#mean) * share, now)
  }

  #set(mean: number, now: number): void {
    this.#mean = mean
    this.#at = now
  }
}
