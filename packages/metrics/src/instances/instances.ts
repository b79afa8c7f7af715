import { wantedInstances } from '@fastify-balancer/option-schema'
import type { Registry } from 'prom-client'
import { StoreUnreachableError } from '../errors.ts'
import type { Family } from '../families/family.ts'
import type { InstanceCounts, InstanceRevision } from '../families/instance-families.ts'
import { isOfBackend, type Figures, type Row } from '../figures/figures.ts'
import { merged } from '../figures/merged.ts'
import { inTurns } from '../figures/steps.ts'
import { taken } from '../figures/taken.ts'
import { Counts, type Counted } from './counts.ts'
import { instanceStates, type FleetView, type Legacy } from './fleet.ts'
import { readingsOf, type Reading } from './readings.ts'

/** Under which instances ask each other, and say that they can be asked. */
const topic = 'metrics'

/** How long the answers of others are waited for (ms). */
const patience = 1000

/** What an instance answers. */
interface Answer {
  readonly figures: Figures
  readonly readings: readonly Reading[]
}

/** The metrics of all instances. */
export interface Together {
  /** Of the balancers, all in one. */
  readonly figures: Figures
  /** Name of this instance. */
  readonly id: string
  /** The metrics of the apps and processes of others, by their ids. */
  readonly readings: ReadonlyMap<string, readonly Reading[]>
}

/** What the store says. @throws StoreUnreachableError */
async function reached<Value>(answer: Promise<Value>): Promise<Value> {
  try {
    return await answer
  } catch (error) {
    throw new StoreUnreachableError((error as Error).message, { cause: error })
  }
}

/** The others as this instance sees them, and the metrics of all. */
export class Instances implements InstanceCounts {
  readonly #fleet: FleetView
  readonly #sources: Counted
  readonly #families: readonly Family[]
  readonly #counts: Counts
  readonly #legacy: Legacy<Figures>
  readonly #aggregators: ReadonlyMap<string, Family['aggregator']>
  /** As of the last time that all were asked. */
  #missing = 0
  #isDraining = false
  #revisions: readonly InstanceRevision[] = []

  constructor(fleet: FleetView, registry: Registry, sources: Counted, families: readonly Family[]) {
    this.#fleet = fleet
    this.#sources = sources
    // What one tells for all is not asked of the others.
    this.#families = families.filter(({ aggregator }) => aggregator !== 'first')
    this.#aggregators = new Map(this.#families.map(({ key, aggregator }) => [key, aggregator]))
    this.#counts = new Counts(sources, this.#families)
    this.#legacy = fleet.legacy<Figures>(topic, {
      read: () => this.#counts.read(),
      merge: (one, other) => this.#counts.merge(one, other),
    })
    fleet.tell(topic, () => true)
    // Until the fleet is left, which is the last of all.
    fleet.answer(topic, async (): Promise<Answer> => {
      const [figures, readings] = await Promise.all([this.#read(), readingsOf(registry)])
      return { figures, readings }
    })
  }

  get states(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>(instanceStates.map((state) => [state, 0]))
    for (const { state: own } of this.#fleet.instances) {
      const state = this.#isDraining && own === 'ready' ? 'draining' : own
      counts.set(state, (counts.get(state) ?? 0) + 1)
    }
    return counts
  }

  get wanted(): number | undefined {
    return wantedInstances(this.#fleet.instances)
  }

  get missing(): number {
    return this.#missing
  }

  get revisions(): readonly InstanceRevision[] {
    return this.#revisions
  }

  /** The server drains, or does not: that is one drain of every instance. */
  drain(isDraining: boolean): void {
    this.#isDraining = isDraining
  }

  /**
   * Asks all others. Of one that does not answer in time, what it has last saved counts, as of those that have ended; its gauges
   * are left out.
   * @throws StoreUnreachableError: without what others have counted, counters would seem to start again
   */
  async collect(): Promise<Together> {
    const { id, instances } = this.#fleet
    const whom = instances.filter((one) => one.id !== id && one.about[topic] === true).map((one) => one.id)
    const [own, { answers }] = await Promise.all([
      this.#read(),
      this.#fleet.ask<Answer>(topic, null, { whom, timeout: patience }),
    ])
    // After the answers: what ends in between is found there, and is known by its answer already.
    const departed = await reached(this.#legacy.departed(new Set([id, ...answers.keys()])))
    const present = new Set(this.#fleet.instances.map((one) => one.id))
    this.#missing = whom.filter((one) => !answers.has(one) && present.has(one)).length
    const living = new Map([[id, own], ...Array.from(answers, ([one, { figures }]) => [one, figures] as const)])
    this.#revisions = [...living].flatMap(([instance, { balancers }]) =>
      balancers.filter(({ name }) => name !== '').map(({ name, revision }) => ({ instance, balancer: name, revision })),
    )
    return {
      id,
      figures: await this.#merge([...living.values()], departed),
      readings: new Map(Array.from(answers, ([one, { readings }]) => [one, readings])),
    }
  }

  /** The app is closing: what is saved next may be the last. */
  stop(): void {
    this.#counts.end()
  }

  /** Whatever is told is saved first: should this instance be killed, it is not lost, and no counter falls. */
  async #read(): Promise<Figures> {
    const figures = await inTurns(taken(this.#families, this.#sources.balancers))
    await this.#counts.take(figures)
    await reached(this.#legacy.save())
    return figures
  }

  #merge(living: readonly Figures[], departed: Figures | undefined): Promise<Figures> {
    return inTurns(
      merged(departed === undefined ? living : [...living, departed], {
        ownBuckets: true,
        aggregatorOf: (key) => this.#aggregators.get(key),
        keeps: (name) => {
          // Who has the newest list tells which backends there are; others may not have it for some milliseconds yet.
          const lists = living.flatMap(({ balancers }) => balancers.filter((one) => one.name === name))
          const newest = lists.reduce((best, one) => (one.revision > best.revision ? one : best), lists[0]!)
          if (newest === undefined) return undefined
          const listed = new Set(newest.rows.map(([labels]) => labels))
          return (row: Row) => !isOfBackend(row) || listed.has(row[0])
        },
      }),
    )
  }
}
