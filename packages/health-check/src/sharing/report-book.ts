import type { Clock } from '@fastify-balancer/balancer-core'
import type { ProbeReport } from '../probe/probing.ts'

/** A backend, as instances name it to each other. */
export interface Named {
  readonly id: string
  readonly url: string
}

/** A report as it is told. */
export interface Told extends Named {
  readonly report: ProbeReport
  /** How long ago the probe began (ms). */
  readonly age: number
}

/** How long a list takes at most, from the probes of its new backends until all have it (ms). */
const kept = 10_000

interface Kept {
  readonly told: Named & { readonly report: ProbeReport }
  readonly startedAt: number
  readonly until: number
}

const keyOf = (terms: string, { id, url }: Named) => JSON.stringify([terms, id, url])

/** Reports about backends that are not in the list yet: it is about to be agreed on. */
export class ReportBook {
  readonly #clock: Clock
  /** In order of arrival. */
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(terms: string, { id, url, report, age }: Told): void {
    const now = this.#clock.now()
    for (const [key, { until }] of this.#kept) {
      if (until > now) break
      this.#kept.delete(key)
    }
    const key = keyOf(terms, { id, url })
    this.#kept.delete(key)
    this.#kept.set(key, { told: { id, url, report }, startedAt: now - age, until: now + kept })
  }

  get(terms: string, named: Named): Told | undefined {
    const now = this.#clock.now()
    const found = this.#kept.get(keyOf(terms, named))
    return found === undefined || found.until <= now ? undefined : { ...found.told, age: now - found.startedAt }
  }
}
