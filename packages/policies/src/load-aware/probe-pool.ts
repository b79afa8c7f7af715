import type { Backend } from '@fastify-balancer/balancer-core'

/** What is believed of a backend: the answer to a probe. */
export interface Probe {
  readonly backend: Backend
  /** When it was made, in ms. */
  readonly at: number
  /** Requests in flight, relative to the weight. */
  load: number
  /** The response time to expect at that load, in ms. */
  readonly time: number
  /** How often it may still be used. */
  uses: number
}

/** Prequal's sizes: probes kept, and for how long (ms). */
export const mostProbes = 16
const longest = 1000

/**
 * Prequal's pool of probes (NSDI 2024, arXiv 2312.10172), one of each backend. Of those that are not hot, the one with the
 * shortest response time is best; if all are hot, the one with the least load. Hot are those above a quantile of the
 * loads.
 */
export class ProbePool {
  readonly #quantile: number
  readonly #probes: Map<Backend, Probe>
  #removesWorst: boolean
  /** Loads, sorted; kept so that none is made for each pick. */
  readonly #loads = new Float64Array(mostProbes)

  constructor(quantile: number, probes: Iterable<Probe> = [], removesWorst = false) {
    this.#quantile = quantile
    this.#probes = new Map(Array.from(probes, (probe) => [probe.backend, { ...probe }]))
    this.#removesWorst = removesWorst
  }

  copy(): ProbePool {
    return new ProbePool(this.#quantile, this.#probes.values(), this.#removesWorst)
  }

  get size(): number {
    return this.#probes.size
  }

  /** Puts in a probe, in place of an older one of that backend; of too many, the oldest leaves. */
  add(probe: Probe): void {
    this.#probes.delete(probe.backend)
    this.#probes.set(probe.backend, probe)
    if (this.#probes.size > mostProbes) this.#removeOldest()
  }

  /** Drops what is too old, or is of a backend that is not `wanted`. */
  expire(now: number, wanted: ReadonlySet<Backend>): void {
    for (const [backend, { at }] of this.#probes)
      if (now - at > longest || !wanted.has(backend)) this.#probes.delete(backend)
  }

  /** Removes one that is used no more: the oldest and the worst, by turns. */
  removeOne(): void {
    if (this.#removesWorst) this.#removeWorst()
    else this.#removeOldest()
    this.#removesWorst = !this.#removesWorst
  }

  /** The best one. Its load counts one more, and once it is used up it leaves. */
  use(): Backend | undefined {
    const limit = this.hotAbove()
    let best: Probe | undefined
    // Of equals the latest drawn, since draws follow the weights.
    for (const probe of this.#probes.values()) if (best === undefined || !isBetter(best, probe, limit)) best = probe
    if (best === undefined) return undefined
    best.load++
    if (--best.uses <= 0) this.#probes.delete(best.backend)
    return best.backend
  }

  /** The load above which a backend is hot. */
  hotAbove(): number {
    let count = 0
    for (const { load } of this.#probes.values()) this.#loads[count++] = load
    const sorted = this.#loads.subarray(0, count).sort()
    return sorted[Math.floor(this.#quantile * (count - 1))] ?? Infinity
  }

  #removeOldest(): void {
    const oldest = this.#probes.keys().next()
    if (oldest.done !== true) this.#probes.delete(oldest.value)
  }

  #removeWorst(): void {
    const limit = this.hotAbove()
    let worst: Probe | undefined
    for (const probe of this.#probes.values()) if (worst === undefined || isBetter(worst, probe, limit)) worst = probe
    if (worst !== undefined) this.#probes.delete(worst.backend)
  }
}

/** Prequal's hot and cold rule: is the first better than the second? */
function isBetter(first: Probe, second: Probe, hotAbove: number): boolean {
  const isHot = first.load > hotAbove
  if (isHot !== second.load > hotAbove) return !isHot
  if (isHot || first.time === second.time) return first.load < second.load
  return first.time < second.time
}
