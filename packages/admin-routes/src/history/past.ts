import type { Balancer } from '@fastify-balancer/balancer-core'
import { ownMember } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import type { Static } from '@sinclair/typebox'
import { mostFailures } from './failed-requests.ts'
import { historyView } from './history-view.ts'
import { historyOf, type History } from './history.ts'
import { ranges, type Range } from './resolutions.ts'
import type { FailureView, HistoryView } from '../schemas/past-views.ts'
import { instancesOf, type Instances } from '../instances/instances.ts'
import { mergedHistory } from '../instances/merging/merged-history.ts'

type View = Static<typeof HistoryView>
type Failure = Static<typeof FailureView>

/** The longest range of each resolution. */
const longest = ['1h', '6h', '3d'] as const satisfies readonly Range[]

/** So many backends of a balancer are handed over, the busiest ones: an end must not wait for more. */
const mostBackends = 50

/** What was recorded of one balancer: its history in each resolution, and its last failed requests. */
interface Recorded {
  readonly histories: readonly View[]
  readonly failures: readonly Failure[]
}

/** The same by the names of balancers. */
type AllRecorded = Readonly<Record<string, Recorded>>

const attemptsOf = ({ attempts }: View['backends'][number]) =>
  attempts.reduce<number>((sum, one) => sum + (one ?? 0), 0)

/** Without the steps in which nothing was measured, and with the busiest backends only. */
function inBrief(view: View): View {
  const times = view.times.filter((_, index) => view.totals.requests[index] !== null)
  const backends = view.backends.toSorted((one, other) => attemptsOf(other) - attemptsOf(one)).slice(0, mostBackends)
  return mergedHistory([{ ...view, backends }], times)
}

/** The last steps of both. */
function joined(one: View, other: View, steps: number): View {
  const times = [...new Set([...one.times, ...other.times])].toSorted((a, b) => a - b)
  return mergedHistory(one.at >= other.at ? [one, other] : [other, one], times.slice(-steps))
}

function latest(failures: readonly Failure[]): readonly Failure[] {
  return failures.toSorted((one, other) => other.at - one.at).slice(0, mostFailures)
}

/**
 * What this instance has recorded, and what others had when they left: each hands that over to one that stays, so that a
 * restart of one after the other loses nothing. What a killed one had recorded is lost.
 */
export class Past {
  readonly #history: History
  readonly #instances: Instances
  readonly #balancers: ReadonlyMap<string, Balancer>
  /** Another instance tells all of this from now on. */
  isHandedOver = false
  #left: AllRecorded = {}

  /** See `pastOf`. */
  constructor(app: FastifyInstance) {
    this.#history = historyOf(app)
    this.#instances = instancesOf(app)
    this.#balancers = app.balancers
    this.#instances.answer('past', (all: AllRecorded) => this.#take(all))
    this.#instances.fleet?.onLeave(() => this.#give())
  }

  async history(balancer: Balancer, range: Range, withBackends: boolean): Promise<View> {
    const { text } = await historyView(this.#history.of(balancer), range, withBackends)
    const own = JSON.parse(String(text)) as View
    const left = ownMember(this.#left, balancer.name)?.histories[ranges[range].resolution]
    return left === undefined ? own : mergedHistory([own, withBackends ? left : { ...left, backends: [] }])
  }

  /** The last failed requests, the newest first. */
  failures(balancer: Balancer): readonly Failure[] {
    const { fleet, self } = this.#instances
    const own = this.#history.of(balancer).failures.latest(mostFailures)
    if (fleet === undefined) return own
    const left = ownMember(this.#left, balancer.name)?.failures ?? []
    return latest([...own.map((one) => Object.assign({}, one, { instance: self })), ...left])
  }

  /** This instance leaves. */
  async #give(): Promise<void> {
    // The youngest of those that are not leaving, too.
    const heir = this.#instances.fleet!.instances.findLast(
      ({ id, state }) => state === 'ready' && id !== this.#instances.self,
    )
    if (heir === undefined) return
    const all: (readonly [name: string, recorded: Recorded])[] = []
    for (const balancer of this.#balancers.values()) {
      // oxlint-disable-next-line no-await-in-loop -- requests run in between
      const views = await Promise.all(longest.map((range) => this.history(balancer, range, true)))
      all.push([balancer.name, { histories: views.map(inBrief), failures: this.failures(balancer) }])
    }
    this.isHandedOver = true
    await this.#instances.ask('past', Object.fromEntries(all), [heir.id])
  }

  /** Another one leaves. */
  #take(all: AllRecorded): null {
    const joint = Object.entries(all).map(([name, { histories, failures }]) => {
      const before = ownMember(this.#left, name)
      if (before === undefined) return [name, { histories, failures }] as const
      const both = histories.map((view, index) => joined(view, before.histories[index]!, ranges[longest[index]!].steps))
      return [name, { histories: both, failures: latest([...failures, ...before.failures]) }] as const
    })
    this.#left = { ...this.#left, ...Object.fromEntries(joint) }
    return null
  }
}

const byServer = new WeakMap<FastifyInstance['server'], Past>()

/** What was recorded of an app's balancers; shared if admin routes are registered several times. */
export function pastOf(app: FastifyInstance): Past {
  let past = byServer.get(app.server)
  if (past === undefined) byServer.set(app.server, (past = new Past(app)))
  return past
}
