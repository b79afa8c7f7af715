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
  /** The oldest first. */
  readonly #probes: Probe[]
  #removesWorst: boolean
  /** Loads, sorted; kept so that none is made for each pick. */
  readonly #loads = new Float64Array(mostProbes)

  constructor(quantile: number, probes: readonly Probe[] = [], removesWorst = false) {
    this.#quantile = quantile
    this.#probes = probes.map((probe) => ({ ...probe }))
    this.#removesWorst = removesWorst
  }

  copy(): ProbePool {
    return new ProbePool(this.#quantile, this.#probes, this.#removesWorst)
  }

  get size(): number {
    return this.#probes.length
  }

  /** Puts in a probe, in place of an older one of that backend; of too many, the oldest leaves. */
  add(probe: Probe): void {
    const probes = this.#probes
    for (let index = 0; index < probes.length; index++)
      if (probes[index]!.backend === probe.backend) {
        this.#removeAt(index)
        break
      }
    if (probes.length === mostProbes) this.#removeAt(0)
    probes.push(probe)
  }

  /** Drops what is too old. */
  expire(now: number): void {
    while (this.#probes.length > 0 && now - this.#probes[0]!.at > longest) this.#removeAt(0)
  }

  /** Drops those of backends that are not in the set. */
  keep(wanted: ReadonlySet<Backend>): void {
    for (let index = this.#probes.length - 1; index >= 0; index--)
      if (!wanted.has(this.#probes[index]!.backend)) this.#removeAt(index)
  }

  /** Removes one that is used no more: the oldest and the worst, by turns. */
  removeOne(): void {
    if (this.#probes.length > 0) this.#removeAt(this.#removesWorst ? this.#worst() : 0)
    this.#removesWorst = !this.#removesWorst
  }

  /** The best one. Its load counts one more, and once it is used up it leaves. */
  use(): Backend | undefined {
    const probes = this.#probes
    if (probes.length === 0) return undefined
    const limit = this.hotAbove()
    let best = 0
    // Of equals the latest drawn, since draws follow the weights.
    for (let index = 1; index < probes.length; index++)
      if (!isBetter(probes[best]!, probes[index]!, limit)) best = index
    const probe = probes[best]!
    probe.load++
    if (--probe.uses <= 0) this.#removeAt(best)
    return probe.backend
  }

  /** The load above which a backend is hot. */
  hotAbove(): number {
    const loads = this.#loads
    let count = 0
    for (const { load } of this.#probes) {
      let place = count++
      for (; place > 0 && loads[place - 1]! > load; place--) loads[place] = loads[place - 1]!
      loads[place] = load
    }
    return count === 0 ? Infinity : loads[Math.floor(this.#quantile * (count - 1))]!
  }

  #worst(): number {
    const limit = this.hotAbove()
    let worst = 0
    for (let index = 1; index < this.#probes.length; index++)
      if (isBetter(this.#probes[worst]!, this.#probes[index]!, limit)) worst = index
    return worst
  }

  /** Like `splice`, which makes an array. */
  #removeAt(index: number): void {
    const probes = this.#probes
    for (let next = index + 1; next < probes.length; next++) probes[next - 1] = probes[next]!
    probes.pop()
  }
}

/** Prequal's hot and cold rule: is the first better than the second? */
function isBetter(first: Probe, second: Probe, hotAbove: number): boolean {
  const isHot = first.load > hotAbove
  if (isHot !== second.load > hotAbove) return !isHot
  if (isHot || first.time === second.time) return first.load < second.load
  return first.time < second.time
}
