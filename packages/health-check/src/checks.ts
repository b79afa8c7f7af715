import type { Attempt, Backend, Balancer, BackendSet, Verdict } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import { ActiveCheck, type ProbeListener } from './active/active-check.ts'
import type { Judge } from './judgement/judgement.ts'
import type { ParsedOptions } from './options.ts'
import { OutlierDetection } from './passive/outlier-detection.ts'
import type { SparedListener } from './passive/outlier-vetoes.ts'
import { chooseProbe } from './probe/choose-probe.ts'
import type { SharedProbes } from './sharing/shared-probes.ts'

/** Listeners of the checks of a balancer. */
interface Listeners {
  readonly judge: Judge
  readonly probed: ProbeListener
  readonly spared: SparedListener
}

const probesAtAll = ({ type, probe }: ParsedOptions) => type !== 'none' || probe !== undefined

/** Options prepared for the checks, adopted or dismissed later. */
interface NextChecks {
  readonly options: ParsedOptions
  /** New active checks, if there were none before. */
  readonly created: ActiveCheck | undefined
}

/** The checks of one balancer while they are on: passive ones, and active ones if the options say so. */
export class Checks {
  options: ParsedOptions
  active: ActiveCheck | undefined
  readonly passive: OutlierDetection
  readonly #balancer: Balancer
  readonly #listeners: Listeners
  readonly #pauses: Pauses
  readonly #sharing: SharedProbes | undefined
  #next: NextChecks | undefined
  #running = false

  constructor(
    balancer: Balancer,
    options: ParsedOptions,
    listeners: Listeners,
    pauses: Pauses,
    sharing?: SharedProbes,
  ) {
    this.options = options
    this.#balancer = balancer
    this.#listeners = listeners
    this.#pauses = pauses
    this.#sharing = sharing
    const { outliers, pressure } = options
    const { judge, spared } = listeners
    this.passive = new OutlierDetection(balancer, outliers, pressure, judge, pauses, Date.now, spared)
    if (probesAtAll(options)) this.active = this.#probing(options)
    this.#askSuspects()
  }

  /** Named functions, since the balancer logs the name of a hook that throws. */
  readonly #attemptStarted = (attempt: Attempt) => this.passive.attemptStarted(attempt)
  readonly #attemptResponded = (attempt: Attempt) => this.passive.attemptResponded(attempt)
  readonly #attemptEnded = (attempt: Attempt) => {
    this.passive.attemptEnded(attempt)
    if (attempt.blame === 'backend' && attempt.status === 0) this.active?.suspect(attempt.backend)
  }
  readonly #judgeNewcomers = (candidates: readonly Backend[], isAgreed: boolean): Promise<Verdict[]> | undefined =>
    (this.#next?.created ?? this.active)?.judgeNewcomers(candidates, isAgreed)
  readonly #backendsChanged = (now: BackendSet) => {
    this.active?.backendsChanged(now)
    this.passive.backendsChanged(now)
  }

  /** Starts listening to attempts and to changes of the list. */
  attach(): void {
    this.#balancer
      .addHook('onAttemptStart', this.#attemptStarted)
      .addHook('onAttemptResponse', this.#attemptResponded)
      .addHook('onAttemptEnd', this.#attemptEnded)
      .addHook('onBackendsPropose', this.#judgeNewcomers)
      .addHook('onBackendsChange', this.#backendsChanged)
    this.#share()
  }

  /** Starts: see `HealthCheck.start`. */
  async start(limit: number): Promise<void> {
    this.#running = true
    this.passive.start()
    await this.active?.start(limit)
  }

  /** Ends all probes and timers. */
  stop(): void {
    this.#running = false
    this.active?.stop()
    this.passive.stop()
  }

  /** Stops, lifts all its vetoes, and stops listening. */
  withdraw(): void {
    this.active?.withdraw()
    this.active = undefined
    this.#share()
    this.stop()
    this.#balancer
      .removeHook('onAttemptStart', this.#attemptStarted)
      .removeHook('onAttemptResponse', this.#attemptResponded)
      .removeHook('onAttemptEnd', this.#attemptEnded)
      .removeHook('onBackendsPropose', this.#judgeNewcomers)
      .removeHook('onBackendsChange', this.#backendsChanged)
  }

  /** New backends are judged by these options, until they are adopted or dismissed. */
  prepare(options: ParsedOptions): void {
    const asks = probesAtAll(options)
    // Backends with traffic count as healthy until probes fail.
    const created = asks && this.active === undefined ? this.#probing({ ...options, initial: 'up' }) : undefined
    if (asks) this.active?.prepare(options)
    this.#next = { options, created }
  }

  /** Adopts the prepared options. The state of backends stays. */
  adopt(): void {
    if (this.#next === undefined) return
    const { options, created } = this.#next
    this.#next = undefined
    this.options = options
    this.passive.configure(options.outliers, options.pressure)
    if (!probesAtAll(options)) {
      this.active?.withdraw()
      this.active = undefined
    } else if (created === undefined) this.active?.adopt()
    else {
      this.active = created
      // It starts with `up`, so there is nothing to wait for.
      if (this.#running) void created.start(0)
    }
    this.#share()
    this.#askSuspects()
  }

  dismiss(): void {
    this.#next?.created?.stop()
    this.#next = undefined
    this.active?.dismiss()
  }

  #probing(options: ParsedOptions): ActiveCheck {
    const { judge, probed } = this.#listeners
    return new ActiveCheck(this.#balancer, options, judge, probed, this.#pauses, chooseProbe(options), this.#sharing)
  }

  /** Those that are in force share, by the terms of now. */
  #share(): void {
    this.#sharing?.attach(this.active?.sharer)
  }

  /** A TCP connect proves nothing about a hanging process: the kernel accepts it. */
  #askSuspects(): void {
    const { type, probe } = this.options
    const tells = type === 'http' || probe !== undefined
    this.passive.askWith(tells ? (backend) => this.active?.ask(backend) : undefined)
  }
}
