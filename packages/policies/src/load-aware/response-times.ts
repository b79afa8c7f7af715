// Room `load-aware`: policies that learn from the responses how busy each backend is.
import type { Attempt, Backend, Balancer } from '@fastify-balancer/balancer-core'

/** A time that jumps up to each peak and decays after it. */
interface Peak {
  /** In ms, at `at`. */
  value: number
  at: number
}

/**
 * The response times of backends by the rule of "Peak EWMA" (tower `load/peak_ewma.rs`, Finagle): a response that took
 * longer than the mean sets it, a shorter one moves it by the time since the last; unused it decays towards 0, so that
 * a backend that was slow once is tried again.
 */
export class PeakTimes {
  readonly #decay: number
  readonly #peaks = new WeakMap<Backend, Peak>()
  #now: () => number = () => 0

  /** `decay`: the time constant, in ms. */
  constructor(decay: number) {
    this.#decay = decay
  }

  /** What the backend's response times come to now, in ms; 0 without any. */
  of(backend: Backend): number {
    const peak = this.#peaks.get(backend)
    return peak === undefined ? 0 : this.#decayed(peak, this.#now())
  }

  has(backend: Backend): boolean {
    return this.#peaks.has(backend)
  }

  /** Adds a response time in ms. */
  add(backend: Backend, duration: number): void {
    const now = this.#now()
    const peak = this.#peaks.get(backend)
    if (peak === undefined) {
      this.#peaks.set(backend, { value: duration, at: now })
      return
    }
    const kept = Math.exp(-(now - peak.at) / this.#decay)
    peak.value = duration > peak.value ? duration : peak.value * kept + duration * (1 - kept)
    peak.at = now
  }

  /**
   * Learns from all responses of a balancer: the time to their headers, so that the end of a stream does not count. A
   * failure counts as a response that took `penalty` ms. Returns what ends that.
   */
  learnFrom(balancer: Balancer, penalty: number): () => void {
    this.#now = () => balancer.clock.now()
    const responded = (attempt: Attempt) => {
      if (attempt.uploaded && attempt.effectiveStatus < 500) this.add(attempt.backend, attempt.responseTime)
    }
    const ended = ({ backend, effectiveStatus, blame }: Attempt) => {
      if (blame === 'backend' || effectiveStatus >= 500) this.add(backend, penalty)
    }
    balancer.addHook('onAttemptResponse', responded).addHook('onAttemptEnd', ended)
    return () => balancer.removeHook('onAttemptResponse', responded).removeHook('onAttemptEnd', ended)
  }

  #decayed({ value, at }: Peak, now: number): number {
    return value * Math.exp(-(now - at) / this.#decay)
  }
}
