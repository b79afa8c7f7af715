import type { Backend, Balancer, Participation } from '@fastify-balancer/balancer-core'
import { optionChanges, Pauses, shownOptions } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { ProbeListener } from './active/active-check.ts'
import { InconclusiveLog } from './active/inconclusive-log.ts'
import type { ProbeReport } from './probe/probing.ts'
import type { ActiveView } from './active/health-record.ts'
import { Checks } from './checks.ts'
import { NoProbesError } from './errors.ts'
import { History } from './judgement/history.ts'
import type { Judge, Judgement } from './judgement/judgement.ts'
import { JudgementLog } from './judgement-log.ts'
import { readHealthOptions, type ParsedOptions } from './options.ts'
import type { SharedProbes } from './sharing/shared-probes.ts'
import type { OutlierView } from './passive/outlier-view.ts'

/** What is known of one backend's health. */
export interface HealthView {
  readonly id: string
  /** State by probes; undefined without probes. */
  readonly active: ActiveView | undefined
  /** State by passive checks. */
  readonly passive: OutlierView
  /** The last judgements, each with its evidence; the newest first, at most 20. */
  readonly history: readonly Judgement[]
}

/** An extension of the balancer that gets every conclusive probe; `isOwn`: this instance has made it. */
interface ProbeHearer {
  probed(backend: Backend, report: ProbeReport, isOwn: boolean): void
}

/** Under which a balancer has it among its extensions, and what is said of it in a change of options. */
export const extensionKey = 'health-check'

/** What stands before its options where they are told. */
const place = 'healthCheck'

/** Which options may hold secrets. */
const hidden = [`${place}.headers`]

/** A part in a change that changes nothing. */
const nothing: Participation = { faults: [], changes: [], commit() {}, abandon() {} }

/** The health of one balancer's backends, from probes and from traffic. It acts by vetoes only. */
export class HealthCheck {
  readonly balancer: Balancer
  readonly #log: FastifyBaseLogger | undefined
  readonly #history = new History()
  readonly #judgements: JudgementLog | undefined
  readonly #pauses: Pauses
  readonly #inconclusive: InconclusiveLog
  readonly #sharing: SharedProbes | undefined
  #checks: Checks
  /** False once it was switched off. */
  #isOn = true
  #running = false

  /** With `sharing`, one instance probes for all that share it. */
  constructor(balancer: Balancer, options: ParsedOptions, log?: FastifyBaseLogger, sharing?: SharedProbes) {
    this.balancer = balancer
    this.#log = log
    this.#sharing = sharing
    this.#judgements = log && new JudgementLog(balancer.name, balancer.clock, log)
    this.#pauses = new Pauses(balancer.clock)
    this.#inconclusive = new InconclusiveLog(balancer.clock, log)
    this.#checks = this.#checking(options)
    this.#checks.attach()
    const prepare = (given: unknown) => this.#prepare(given)
    balancer.addHook('onOptionsPropose', function healthCheck(_options, beside) {
      return prepare(beside[extensionKey])
    })
  }

  /** The options in force, as plain data without secrets. */
  get shownOptions(): unknown {
    const { balancer: _, ...options } = this.#checks.options
    return shownOptions(options, { hidden: ['headers'] })
  }

  /**
   * Starts. With `initial: 'probe'` it resolves when the first probe of every backend has ended, or after `limit` ms (0
   * = no limit); backends without a result get no traffic until they have one.
   */
  async start(limit: number): Promise<void> {
    this.#running = true
    this.#sharing?.start()
    if (!this.#isOn) return
    this.#pauses.start()
    await this.#checks.start(limit)
  }

  /** Probes a backend at once; the result counts like any other. @throws UnknownBackendError; NoProbesError */
  async probe(id: string): Promise<ProbeReport> {
    const active = this.#checks.active
    if (active === undefined) throw new NoProbesError()
    return active.probeNow(id)
  }

  /** Ends an ejection or pause by passive checks. @throws UnknownBackendError */
  forgive(id: string): void {
    this.#checks.passive.lift(this.balancer.backend(id))
  }

  /** @throws UnknownBackendError */
  of(id: string): HealthView {
    return this.#view(this.balancer.backend(id))
  }

  /** The state of every backend, in the order of the set. */
  toJSON(): readonly HealthView[] {
    return this.balancer.backends.map((backend) => this.#view(backend))
  }

  /** Ends all probes and timers. */
  stop(): void {
    this.#running = false
    this.#checks.stop()
    this.#sharing?.stop()
    this.#judgements?.stop()
    this.#pauses.stop()
  }

  /** Its part in a change: `given` are its options, undefined for those that it has; `false` switches it off. */
  #prepare(given: unknown): Participation {
    const isOn = this.#isOn
    if (given === false) return isOn ? this.#switchingOff() : nothing
    if (given === undefined && !isOn) return nothing
    const { options, faults } =
      given === undefined ? { options: this.#checks.options, faults: [] } : readHealthOptions(given)
    if (faults.length > 0) return { ...nothing, faults: faults.map((fault) => `${place}.${fault}`) }
    return isOn ? this.#changing(options) : this.#switchingOn(options)
  }

  #changing(given: ParsedOptions): Participation {
    const checks = this.#checks
    // It stays with its balancer.
    const options = { ...given, balancer: checks.options.balancer } as ParsedOptions
    const changes = optionChanges({ [place]: checks.options }, { [place]: options }, hidden)
    if (changes.length === 0) return nothing
    checks.prepare(options)
    return { faults: [], changes, commit: () => checks.adopt(), abandon: () => checks.dismiss() }
  }

  #switchingOff(): Participation {
    return {
      ...nothing,
      changes: [{ option: place, from: true, to: false }],
      commit: () => {
        this.#isOn = false
        this.#checks.withdraw()
        this.#pauses.stop()
        this.balancer.extensions.delete(extensionKey)
      },
    }
  }

  #switchingOn(options: ParsedOptions): Participation {
    // Those that have traffic are trusted until probes have said otherwise.
    const checks = this.#checking({ ...options, initial: 'up' })
    const judge = (candidates: readonly Backend[], isAgreed: boolean) =>
      checks.active?.judgeNewcomers(candidates, isAgreed)
    this.balancer.addHook('onBackendsPropose', judge)
    const forget = () => void this.balancer.removeHook('onBackendsPropose', judge)
    return {
      faults: [],
      changes: [{ option: place, from: false, to: true }],
      commit: () => {
        forget()
        checks.options = options
        this.#checks = checks
        this.#isOn = true
        this.balancer.extensions.set(extensionKey, this)
        checks.attach()
        if (this.#running) void this.start(0)
      },
      abandon: () => {
        forget()
        checks.stop()
      },
    }
  }

  #checking(options: ParsedOptions): Checks {
    const spared = (backend: Backend, reason: string) => this.#judgements?.addSpared(backend, reason)
    const listeners = { judge: this.#judge, probed: this.#probed, spared }
    return new Checks(this.balancer, options, listeners, this.#pauses, this.#sharing)
  }

  #view(backend: Backend): HealthView {
    return {
      id: backend.id,
      active: this.#checks.active?.of(backend),
      passive: this.#checks.passive.of(backend),
      history: this.#history.of(backend),
    }
  }

  readonly #probed: ProbeListener = (backend, report, changed, isOwn) => {
    const { good, inconclusive, timings } = report
    const passive = this.#checks.passive
    if (inconclusive !== undefined) {
      this.#inconclusive.add(this.balancer.name, backend, inconclusive, report)
      passive?.noProbe(backend)
      return
    }
    if (good) passive?.goodProbe(backend, changed, timings.took)
    for (const [name, extension] of this.balancer.extensions) {
      try {
        if (hearsOfProbes(extension)) extension.probed(backend, report, isOwn)
      } catch (error) {
        this.#log?.error(
          { err: error, balancer: this.balancer.name, extension: name },
          'an extension of the balancer threw an error',
        )
      }
    }
  }

  readonly #judge: Judge = (backend, judgement, isTold) => {
    this.#history.add(backend, judgement)
    this.#judgements?.add(backend, judgement, isTold)
    // The others have not seen it: the next probe tells all of them.
    if (judgement.by === 'outlier-detection' && !judgement.good) this.#checks.active?.sharer?.doubt(backend.id)
  }
}

/**
 * Any extension of the balancer may get probes; the circuit breaker does. It is recognised by its method, not by name.
 */
function hearsOfProbes(extension: unknown): extension is ProbeHearer {
  return typeof (extension as Partial<ProbeHearer> | undefined)?.probed === 'function'
}
