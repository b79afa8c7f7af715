import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Family } from '../families/family.ts'
import { isOfBackend, type Figures, type Row } from '../figures/figures.ts'
import { labelText } from '../figures/label-text.ts'
import { merged, type Merging } from '../figures/merged.ts'
import { atOnce, inTurns } from '../figures/steps.ts'
import { taken } from '../figures/taken.ts'

/** With more backends than this, reading all of them would hold up requests. */
const mostAtOnce = 300

/** How old counts of many backends are when they are read anew (ms). */
const freshFor = 500

/** Where counts come from. */
export interface Counted {
  readonly balancers: Iterable<Balancer>
}

function hasCounted(row: Row): boolean {
  return row.some((value, at) => at > 1 && value !== 0)
}

function withoutZeros({ balancers, ...rest }: Figures): Figures {
  return { ...rest, balancers: balancers.map((one) => ({ ...one, rows: one.rows.filter(hasCounted) })) }
}

/** The counters and histograms of this instance, as they are kept for the time after it: without rows that say 0. */
export class Counts {
  readonly #sources: Counted
  readonly #families: readonly Family[]
  readonly #merging: Merging
  #newest: Figures | undefined
  #readAt = 0
  #isReading = false
  #isOver = false

  constructor(sources: Counted, families: readonly Family[]) {
    this.#sources = sources
    this.#families = families.filter(({ type }) => type !== 'gauge')
    const keys = new Set(this.#families.map(({ key }) => key))
    this.#merging = { aggregatorOf: (key) => (keys.has(key) ? 'sum' : undefined) }
  }

  /** The counts of this moment. Of many backends, those of about a second ago, or those that were given to `take` last. */
  read(): Figures {
    const balancers = [...this.#sources.balancers]
    let backends = 0
    for (const { set } of balancers) backends += set.all.length
    if (this.#newest === undefined || this.#isOver || backends <= mostAtOnce)
      return withoutZeros(atOnce(taken(this.#families, balancers)))
    if (performance.now() - this.#readAt > freshFor) void this.#readOn()
    return this.#newest
  }

  /** Takes them from figures that have just been read. */
  async take(figures: Figures): Promise<void> {
    this.#keep(await inTurns(merged([figures], this.#merging)))
  }

  /** From now on every reading is of its moment: it may be the last one. */
  end(): void {
    this.#isOver = true
  }

  /** Adds up what two instances have counted, without backends that have left the list. */
  merge(one: Figures, other: Figures): Figures {
    const keeps = (name: string, revision: number) => {
      const balancer = [...this.#sources.balancers].find((each) => each.name === name)
      // Those of a newer list than ours may have a backend that we do not know yet.
      if (balancer === undefined || balancer.set.revision < revision) return undefined
      const own = labelText('balancer', name)
      const listed = new Set(balancer.backends.map(({ id }) => `${own},${labelText('backend', id)}`))
      return (row: Row) => !isOfBackend(row) || listed.has(row[0])
    }
    return atOnce(merged([one, other], { aggregatorOf: () => 'sum', keeps }))
  }

  async #readOn(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    this.#keep(await inTurns(taken(this.#families, this.#sources.balancers)))
    this.#isReading = false
  }

  #keep(figures: Figures): void {
    this.#newest = withoutZeros(figures)
    this.#readAt = performance.now()
  }
}
