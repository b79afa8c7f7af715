import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { ProbeReport } from '../probe/probing.ts'
import type { Named, Told } from '../sharing/report-book.ts'
import type { Sharer, SharedProbes } from '../sharing/shared-probes.ts'
import type { AdmissionTerms } from './admission.ts'
import type { HealthRecord } from './health-record.ts'
import type { Pace } from './rise-fall.ts'
import type { Schedule } from './schedule.ts'

/** A backend that is probed. */
export interface Watched {
  readonly record: HealthRecord
  readonly schedule: Schedule
}

/** What is shared of the checks of one balancer. */
interface Checking {
  readonly balancer: Balancer
  readonly all: ReadonlyMap<Backend, Watched>
  terms(): AdmissionTerms
  /** Takes up a backend that is in the list. */
  watched(backend: Backend): Watched
  /** Counts a report; answers which interval comes next. */
  observe(backend: Backend, record: HealthRecord, report: ProbeReport): Pace
}

/** How many intervals old a report may be that an instance begins with. */
const freshFor = 2

/** The side of active checks that faces the other instances. */
export class CheckSharer implements Sharer {
  readonly #checking: Checking
  readonly #sharing: SharedProbes

  constructor(checking: Checking, sharing: SharedProbes) {
    this.#checking = checking
    this.#sharing = sharing
  }

  get terms(): string {
    return this.#checking.terms().name
  }

  /** Tells the others of a probe that was made here. */
  publish(backend: Backend, report: ProbeReport): void {
    this.#sharing.publish(this.terms, toldOf(backend, report))
  }

  /** A backend that was just probed enters the list: those that join take that report. */
  entered(schedule: Schedule, { timings }: ProbeReport): void {
    schedule.began(this.#checking.terms().table.clock.now() - timings.took)
  }

  /** Asks the others what they know at the moment, and takes that of those of which nothing is known here. */
  async learn(): Promise<void> {
    for (const told of await this.#sharing.latest(this.terms)) {
      const backend = this.#find(told)
      if (backend !== undefined && this.#checking.all.get(backend)?.record.lastProbe === undefined)
        this.take(told, false)
    }
  }

  take(told: Told, isKeepers: boolean): boolean {
    const backend = this.#find(told)
    if (backend === undefined) return false
    const { report, age } = told
    const { record, schedule } = this.#checking.watched(backend)
    const startedAt = this.#checking.terms().table.clock.now() - age
    const pace = this.#checking.observe(backend, record, report)
    schedule.heard({ report, startedAt, pace, isKeepers })
    return true
  }

  latest(named?: readonly Named[]): readonly Told[] {
    const backends = named === undefined ? this.#checking.all.keys() : named.flatMap((one) => this.#find(one) ?? [])
    return [...backends].flatMap((backend) => this.#latestOf(backend) ?? [])
  }

  doubt(id: string): void {
    const watched = this.#watchedBy(id)
    if (watched?.schedule.hasten() === true) this.#sharing.doubt(id)
  }

  look(id: string): void {
    this.#watchedBy(id)?.schedule.look()
  }

  keeperChanged(): void {
    for (const { schedule } of this.#checking.all.values()) schedule.keeperChanged()
  }

  #latestOf(backend: Backend): Told | undefined {
    const { record, schedule } = this.#checking.all.get(backend) ?? {}
    const report = record?.lastProbe
    if (report === undefined) return undefined
    const { clock, intervals } = this.#checking.terms().table
    const age = clock.now() - schedule!.startedAt
    return age < freshFor * intervals[record!.pace] ? toldOf(backend, report, age) : undefined
  }

  #watchedBy(id: string): Watched | undefined {
    const backend = this.#find({ id })
    return backend && this.#checking.all.get(backend)
  }

  /** The backend of the list; one with the same name at another address is another one. */
  #find({ id, url }: { readonly id: string; readonly url?: string }): Backend | undefined {
    try {
      const backend = this.#checking.balancer.backend(id)
      return url === undefined || backend.url === url ? backend : undefined
    } catch {
      // It has left the list, or has not entered it yet.
      return undefined
    }
  }
}

/** A report about a backend, as others are told. */
function toldOf({ id, url }: Backend, report: ProbeReport, age = report.timings.took): Told {
  return { id, url, report, age }
}
