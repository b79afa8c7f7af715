// Room `active`: probes on a schedule, and what follows from a row of them.
import type { Backend, Balancer, BackendSet, Verdict } from '@fastify-balancer/balancer-core'
import { inSlices, Pauses } from '@fastify-balancer/option-schema'
import type { Judge } from '../judgement/judgement.ts'
import { Admission, judgedBy as by, notProbed } from './admission.ts'
import { chooseProbe } from '../probe/choose-probe.ts'
import { eachAtMost } from './each-at-most.ts'
import type { ActiveOptions } from './active-options.ts'
import type { Probe, ProbeReport } from '../probe/probing.ts'
import { firstRule, HealthRecord, type ActiveView, type HealthChange } from './health-record.ts'
import type { Health, Pace } from './rise-fall.ts'
import { within } from './within.ts'
import { Schedule, timetable, untilKnown, type Timetable } from './schedule.ts'

/** Most probes at once when many are due: at the start, and when backends are added. */
const mostAtOnce = 256

/** Called for each probe; `changed`: the backend has become healthy by it. */
export type ProbeListener = (backend: Backend, report: ProbeReport, changed: boolean) => void

const notProbedAnyMore = { good: true, rule: 'probes were switched off', evidence: [] } as const

/** What probes go by. */
interface Terms {
  readonly options: ActiveOptions
  readonly table: Timetable
}

interface Watched {
  readonly record: HealthRecord
  readonly schedule: Schedule
}

/** Probes the backends of one balancer, and places a soft veto on unhealthy ones. Times in ms. */
export class ActiveCheck {
  readonly #balancer: Balancer
  #options: ActiveOptions
  readonly #judge: Judge
  readonly #onProbe: ProbeListener
  readonly #pauses: Pauses
  #table: Timetable
  /** Options for new backends, while a change of the options is being prepared. */
  #next: Terms | undefined
  readonly #watched = new Map<Backend, Watched>()
  readonly #admission: Admission
  #state: 'waiting' | 'running' | 'stopped' = 'waiting'
  /** The list that was last followed. */
  #current: BackendSet | undefined

  /** It probes nothing before `start`, but on demand. `probe` asks in place of what the options say. */
  constructor(
    balancer: Balancer,
    options: ActiveOptions,
    judge: Judge,
    onProbe: ProbeListener = () => {},
    pauses: Pauses = new Pauses(balancer.clock),
    probe: Probe = chooseProbe(options),
  ) {
    const { initial } = options
    this.#balancer = balancer
    this.#options = options
    this.#judge = judge
    this.#onProbe = onProbe
    this.#pauses = pauses
    this.#table = timetable(options, probe, balancer, pauses)
    this.#admission = new Admission(mostAtOnce)
    for (const backend of balancer.backends) this.#watch(backend, initial === 'probe' ? 'unknown' : initial)
  }

  /**
   * Starts. With `initial: 'probe'` every backend is probed once; resolves when all probes have ended, or after `limit`
   * ms (0 = no limit). Backends without a result get no traffic until they have one.
   */
  async start(limit: number): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'running'
    const round = [...this.#watched]
    if (this.#options.initial !== 'probe') {
      for (const [backend, { record, schedule }] of round) {
        if (record.state === 'down') this.#lay(backend, record, notProbed)
        schedule.begin(record.pace)
      }
      return
    }
    const answered = eachAtMost(mostAtOnce, round, ([, { schedule }], done) =>
      schedule.beginNow(untilKnown(schedule, done)),
    )
    await within(this.#table.clock, limit, answered)
    if (this.#isStopped()) return
    for (const [backend, { record }] of round) {
      if (record.state === 'unknown' && this.#watched.has(backend)) this.#lay(backend, record, notProbed)
    }
  }

  /** New backends are judged by these options, until they are adopted or dismissed. */
  prepare(options: ActiveOptions): void {
    const probe = chooseProbe(options)
    this.#next = { options, table: timetable(options, probe, this.#balancer, this.#pauses) }
  }

  /** Goes by the options that were prepared. What is known of backends stays. */
  adopt(): void {
    if (this.#next === undefined) return
    const { options, table } = this.#next
    this.#next = undefined
    this.#options = options
    this.#table = table
    for (const { record, schedule } of this.#watched.values()) {
      record.configure(options)
      schedule.configure(table)
    }
  }

  dismiss(): void {
    this.#next = undefined
  }

  /** For the hook `onBackendsPropose`: probes new backends; verdicts on unhealthy ones by `admit`. */
  async judgeNewcomers(candidates: readonly Backend[]): Promise<Verdict[]> {
    const { options, table } = this.#next ?? { options: this.#options, table: this.#table }
    return options.admit === 'always' ? [] : this.#admission.judge(candidates, table, options.admit)
  }

  /** For the hook `onBackendsChange`: takes up newcomers, and forgets who has left. */
  backendsChanged(now: BackendSet): void {
    // One that is asked about before its turn is taken up then; if the list changes again, that sees to all that are left.
    const isOld = () => this.#current !== now
    this.#current = now
    void inSlices(now.all, (backend) => void (isOld() || this.#watched.has(backend) || this.#enter(backend)))
    void inSlices([...this.#watched.keys()], (backend) => {
      if (isOld() || this.#balancer.has(backend)) return
      this.#watched.get(backend)!.schedule.stop()
      this.#watched.delete(backend)
    })
  }

  /** Asks one at once, or waits for the probe under way; it counts like any other. @throws UnknownBackendError */
  async probeNow(id: string): Promise<ProbeReport> {
    const backend = this.#balancer.backend(id)
    const { schedule } = this.#watched.get(backend) ?? this.#watch(backend, 'unknown')
    return new Promise((resolve) => schedule.probe(resolve))
  }

  /** An attempt failed: unless it is down already, it is probed soon (HAProxy's `on-error fastinter`). */
  suspect(backend: Backend): void {
    const watched = this.#watched.get(backend)
    if (watched !== undefined && watched.record.state !== 'down') watched.schedule.hasten()
  }

  /** Probes a backend at once, unless a probe is in progress. */
  ask(backend: Backend): void {
    this.#watched.get(backend)?.schedule.probe()
  }

  /** Probe state of a backend of the set. */
  of(backend: Backend): ActiveView {
    const { state, since, lastProbe, consecutive } =
      this.#watched.get(backend)?.record ?? new HealthRecord(this.#options, 'unknown')
    return { state, since, lastProbe, consecutive }
  }

  /** Stops everything and lifts all vetoes: backends are no longer probed. */
  withdraw(): void {
    this.stop()
    for (const [backend, { record }] of this.#watched)
      if (record.veto !== undefined) this.#lift(backend, record, { from: 'down', ...notProbedAnyMore })
  }

  /** Ends every probe and timer. Vetoes stay as they are. */
  stop(): void {
    this.#state = 'stopped'
    for (const { schedule } of this.#watched.values()) schedule.stop()
    this.#admission.stop()
  }

  /** A method, because the compiler assumes that `#state` does not change during an await. */
  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #watch(backend: Backend, initial: Health): Watched {
    const record = new HealthRecord(this.#options, initial)
    const schedule = new Schedule(backend, this.#table, (report) => this.#observe(backend, record, report))
    const watched = { record, schedule }
    this.#watched.set(backend, watched)
    if (this.#isStopped()) schedule.stop()
    return watched
  }

  #enter(backend: Backend): void {
    const { record, schedule } = this.#watch(backend, 'unknown')
    // Placed by the core, by our verdict.
    record.veto = backend.vetoes.find((veto) => veto.by === by)
    const report = this.#admission.reportOf(backend)
    const pace = report === undefined ? 'fastInterval' : this.#observe(backend, record, report)
    if (this.#state === 'running') schedule.begin(pace)
  }

  #observe(backend: Backend, record: HealthRecord, report: ProbeReport): Pace {
    if (report.inconclusive !== undefined) {
      this.#onProbe(backend, report, false)
      return 'fastInterval'
    }
    const change = record.observe(report) ?? this.#firstReason(record, report) ?? this.#anew(backend, record, report)
    if (change?.good === false) this.#lay(backend, record, change)
    else if (change !== undefined) this.#lift(backend, record, change)
    this.#onProbe(backend, report, report.good && change?.from === 'down')
    return record.pace
  }

  /** A backend that was assumed down and is down: now the reason is known. */
  #firstReason({ state, veto }: HealthRecord, report: ProbeReport): HealthChange | undefined {
    if (report.good || veto?.reason !== notProbed.rule) return undefined
    return { from: state, good: false, rule: firstRule(report), evidence: [report] }
  }

  /** A backend that is down, and whose veto was lifted by other code. */
  #anew({ vetoes }: Backend, { state, veto }: HealthRecord, report: ProbeReport): HealthChange | undefined {
    if (report.good || veto === undefined || vetoes.includes(veto)) return undefined
    const rule = `its veto was lifted by other code, but a probe failed: ${report.received}`
    return { from: state, good: false, rule, evidence: [report] }
  }

  #lay(backend: Backend, record: HealthRecord, change: HealthChange): void {
    const { rule: reason, evidence } = change
    const earlier = record.veto
    const stands = earlier !== undefined && backend.vetoes.includes(earlier)
    // A veto with the same reason was placed by the core on a new backend, by our verdict.
    if (!stands || earlier.reason !== reason) {
      record.veto = this.#balancer.veto(backend, { by, reason, evidence })
      // Afterwards, so that there is no moment without a veto.
      earlier?.lift()
    }
    this.#tell(backend, change)
  }

  #lift(backend: Backend, record: HealthRecord, change: HealthChange): void {
    // A first successful probe changes nothing.
    if (record.veto === undefined) return
    record.veto.lift()
    record.veto = undefined
    this.#tell(backend, change)
  }

  #tell(backend: Backend, { good, rule, evidence }: HealthChange): void {
    this.#judge(backend, { at: Date.now(), by, good, rule, evidence })
  }
}
