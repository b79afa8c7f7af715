// Room `active`: probes on a schedule, and what follows from a row of them.
import type { Backend, Balancer, BackendSet, Verdict } from '@fastify-balancer/balancer-core'
import { inSlices, Pauses } from '@fastify-balancer/option-schema'
import type { Judge } from '../judgement/judgement.ts'
import { Admission, judgedBy as by, notProbed, type AdmissionTerms } from './admission.ts'
import { chooseProbe } from '../probe/choose-probe.ts'
import { eachAtMost } from './each-at-most.ts'
import type { ActiveOptions } from './active-options.ts'
import type { Probe, ProbeReport } from '../probe/probing.ts'
import { Duty } from '../sharing/duty.ts'
import type { SharedProbes } from '../sharing/shared-probes.ts'
import { termsOf } from '../sharing/terms.ts'
import { HealthRecord, type ActiveView } from './health-record.ts'
import type { Health, Pace } from './rise-fall.ts'
import { CheckSharer, type Watched } from './check-sharer.ts'
import { within } from './within.ts'
import { Schedule, timetable, untilKnown } from './schedule.ts'
import { Verdicts } from './verdicts.ts'

/** Most probes at once when many are due: at the start, and when backends are added. */
const mostAtOnce = 256

/** Called for each probe; `changed`: the backend has become healthy by it; `isOwn`: this instance has made it. */
export type ProbeListener = (backend: Backend, report: ProbeReport, changed: boolean, isOwn: boolean) => void

const notProbedAnyMore = { good: true, rule: 'probes were switched off', evidence: [] } as const

/** Probes the backends of one balancer, and places a soft veto on unhealthy ones. Times in ms. */
export class ActiveCheck {
  readonly #balancer: Balancer
  readonly #verdicts: Verdicts
  readonly #onProbe: ProbeListener
  readonly #pauses: Pauses
  #terms: AdmissionTerms
  /** For new backends, while a change of the options is being prepared. */
  #next: AdmissionTerms | undefined
  /** With it, one instance probes for all. */
  readonly sharer: CheckSharer | undefined
  readonly #duty: (() => Duty) | undefined
  readonly #watched = new Map<Backend, Watched>()
  readonly #admission: Admission
  #state: 'waiting' | 'running' | 'stopped' = 'waiting'
  /** The list that was last followed. */
  #current: BackendSet | undefined

  /**
   * It probes nothing before `start`, but on demand. `probe` asks in place of what the options say. With `sharing`, one
   * instance probes for all.
   */
  constructor(
    balancer: Balancer,
    options: ActiveOptions,
    judge: Judge,
    onProbe: ProbeListener = () => {},
    pauses: Pauses = new Pauses(balancer.clock),
    probe: Probe = chooseProbe(options),
    sharing?: SharedProbes,
  ) {
    const { initial } = options
    this.#balancer = balancer
    this.#verdicts = new Verdicts(balancer, judge)
    this.#onProbe = onProbe
    this.#pauses = pauses
    this.sharer = sharing && this.#sharerWith(sharing)
    this.#duty = sharing && (() => new Duty(sharing))
    this.#terms = this.#termsOf(options, probe)
    this.#admission = new Admission(mostAtOnce, sharing)
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
    const { options, table } = this.#terms
    if (options.initial !== 'probe') {
      for (const [backend, { record, schedule }] of round) {
        if (record.state === 'down') this.#verdicts.lay(backend, record, notProbed)
        schedule.begin(record.pace)
      }
      return
    }
    const ask = () =>
      eachAtMost(mostAtOnce, round, ([, { record, schedule }], done) => {
        if (record.state === 'unknown' || sharer === undefined) return schedule.beginNow(untilKnown(schedule, done))
        schedule.begin(record.pace)
        done()
      })
    const { sharer } = this
    const answered = sharer === undefined ? ask() : sharer.learn().then(ask)
    await within(table.clock, limit, answered)
    if (this.#isStopped()) return
    for (const [backend, { record }] of round) {
      if (record.state === 'unknown' && this.#watched.has(backend)) this.#verdicts.lay(backend, record, notProbed)
    }
  }

  /** New backends are judged by these options, until they are adopted or dismissed. */
  prepare(options: ActiveOptions): void {
    this.#next = this.#termsOf(options, chooseProbe(options))
  }

  /** Goes by the options that were prepared. What is known of backends stays. */
  adopt(): void {
    if (this.#next === undefined) return
    const { options, table } = this.#next
    this.#terms = this.#next
    this.#next = undefined
    for (const { record, schedule } of this.#watched.values()) {
      record.configure(options)
      schedule.configure(table)
    }
  }

  dismiss(): void {
    this.#next = undefined
  }

  /**
   * For the hook `onBackendsPropose`: probes new backends, unless another instance has (`isAgreed`); verdicts on unhealthy ones by
   * `admit`.
   */
  async judgeNewcomers(candidates: readonly Backend[], isAgreed = false): Promise<Verdict[]> {
    const terms = this.#next ?? this.#terms
    return terms.options.admit === 'always' ? [] : this.#admission.judge(candidates, terms, isAgreed)
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
    if (watched === undefined || watched.record.state === 'down') return
    if (this.sharer === undefined) watched.schedule.hasten()
    else this.sharer.doubt(backend.id)
  }

  /** Probes a backend at once, unless a probe is in progress. */
  ask(backend: Backend): void {
    this.#watched.get(backend)?.schedule.probe()
  }

  /** Probe state of a backend of the set. */
  of(backend: Backend): ActiveView {
    const { state, since, lastProbe, consecutive } =
      this.#watched.get(backend)?.record ?? new HealthRecord(this.#terms.options, 'unknown')
    return { state, since, lastProbe, consecutive }
  }

  /** Stops everything and lifts all vetoes: backends are no longer probed. */
  withdraw(): void {
    this.stop()
    for (const [backend, { record }] of this.#watched)
      if (record.veto !== undefined) this.#verdicts.lift(backend, record, { from: 'down', ...notProbedAnyMore })
  }

  /** Ends every probe and timer. Vetoes stay as they are. */
  stop(): void {
    this.#state = 'stopped'
    for (const { schedule } of this.#watched.values()) schedule.stop()
    this.#admission.stop()
  }

  #termsOf(options: ActiveOptions, probe: Probe): AdmissionTerms {
    return { options, table: timetable(options, probe, this.#balancer, this.#pauses), name: termsOf(options) }
  }

  #sharerWith(sharing: SharedProbes): CheckSharer {
    return new CheckSharer(
      {
        balancer: this.#balancer,
        all: this.#watched,
        terms: () => this.#terms,
        watched: (backend) => this.#watched.get(backend) ?? this.#enter(backend),
        observe: (backend, record, report) => this.#observe(backend, record, report, false),
      },
      sharing,
    )
  }

  /** A method, because the compiler assumes that `#state` does not change during an await. */
  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #watch(backend: Backend, initial: Health): Watched {
    const record = new HealthRecord(this.#terms.options, initial)
    const onReport = (report: ProbeReport) => {
      this.sharer?.publish(backend, report)
      return this.#observe(backend, record, report, true)
    }
    const schedule = new Schedule(backend, this.#terms.table, onReport, this.#duty?.())
    const watched = { record, schedule }
    this.#watched.set(backend, watched)
    if (this.#isStopped()) schedule.stop()
    return watched
  }

  #enter(backend: Backend): Watched {
    const watched = this.#watch(backend, 'unknown')
    const { record, schedule } = watched
    // Placed by the core, by our verdict.
    record.veto = backend.vetoes.find((veto) => veto.by === by)
    const report = this.#admission.reportOf(backend)
    const isOwn = !this.#admission.wasTold(backend)
    const pace = report === undefined ? 'fastInterval' : this.#observe(backend, record, report, isOwn)
    if (report !== undefined) this.sharer?.entered(schedule, report)
    if (this.#state === 'running') schedule.begin(pace)
    return watched
  }

  #observe(backend: Backend, record: HealthRecord, report: ProbeReport, isOwn: boolean): Pace {
    if (report.inconclusive !== undefined) {
      this.#onProbe(backend, report, false, isOwn)
      return 'fastInterval'
    }
    this.#onProbe(backend, report, this.#verdicts.observe(backend, record, report, !isOwn), isOwn)
    return record.pace
  }
}
