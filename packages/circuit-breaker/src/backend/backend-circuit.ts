// Room `backend`: the circuit of one backend, fed by its attempts; it acts by a veto.
import type { Attempt, Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import type { Call, Verdict } from '../circuit/call.ts'
import { Circuit } from '../circuit/circuit.ts'
import { CircuitVeto } from './circuit-veto.ts'
import type { CircuitView } from './circuit-view.ts'
import type { CircuitState } from '../circuit/circuit-options.ts'
import type { HeldState, Hold, HoldOptions } from '../circuit/holds.ts'
import type { CircuitSettings } from './circuit-settings.ts'
import { isAboutClient, isPressure } from './pressure.ts'
import { ProbeRow } from './probe-row.ts'
import { SettledTrip } from './settled-trip.ts'
import { RecentFailures } from './recent-failures.ts'

/** Called for each change of the state. */
export type ChangeListener = (circuit: BackendCircuit, before: CircuitState, reason: string) => void

/**
 * How long the backend took, in ms: from the end of the request until the response headers, or until `at` if it failed
 * without any. 0 if it responded or failed before it had the whole request.
 */
function durationOf({ askedAt, status, responseTime }: Attempt, at: number): number {
  return status === 0 && askedAt !== undefined ? at - askedAt : responseTime
}

/**
 * The circuit of one backend, and its veto: there is one exactly while the circuit admits no request. This includes
 * half-open with trials in progress: so the others keep fair shares, the next priority can take over, and panic mode
 * takes it into account.
 */
export class BackendCircuit {
  readonly backend: Backend
  readonly #balancer: Balancer
  readonly #circuit: Circuit
  readonly #veto: CircuitVeto
  readonly #trip: SettledTrip
  #statuses: readonly number[]
  readonly #pauses: Pauses
  readonly #onChange: ChangeListener
  readonly #failures = new RecentFailures()
  readonly #probes = new ProbeRow()
  /** In ms since the epoch, which may be set back; and on the balancer's clock, by which probes are compared with it. */
  #changedAt = Date.now()
  #changedOn: number
  #timer: unknown
  #timerDueAt: number | undefined
  /** The same in ms since the epoch. */
  #until: number | undefined
  #stopped = false

  /** `pauses` are those of this process: delays that they cause are not a backend's fault. */
  constructor(
    balancer: Balancer,
    backend: Backend,
    settings: CircuitSettings,
    pauses: Pauses,
    onChange: ChangeListener,
  ) {
    this.backend = backend
    this.#balancer = balancer
    this.#statuses = settings.statuses
    this.#pauses = pauses
    this.#onChange = onChange
    this.#trip = new SettledTrip(settings)
    const { clock, random } = balancer
    this.#changedOn = clock.now()
    this.#circuit = new Circuit({
      ...settings,
      trip: this.#trip.rule,
      now: () => clock.now(),
      random,
      onChange: (state, before, reason) => this.#changed(state, before, reason),
    })
    this.#veto = new CircuitVeto(balancer, backend, this.#circuit)
  }

  /** Goes by these from now on; its state, what holds it, and what it has counted stay. */
  configure(settings: CircuitSettings): void {
    this.#statuses = settings.statuses
    this.#trip.configure(settings)
    this.#circuit.configure(settings, this.#trip.rule)
    this.#act()
  }

  /** True while it is held open or closed by hand. */
  get held(): boolean {
    return this.#circuit.held !== undefined
  }

  /**
   * An attempt starts. In panic mode it starts although the circuit is open: then there is no call, and its outcome
   * does not count.
   */
  start(attempt: Attempt): Call | undefined {
    const call = this.#circuit.begin(attempt.startedAt)
    if (call !== undefined && call.isTrial) {
      // Time that a client takes to send its request must not count.
      call.measureFrom(() => this.#askedAt(attempt))
      this.#act()
    }
    return call
  }

  /** Headers have arrived: enough to judge a trial, whose response may be an endless stream. */
  judgeTrial(call: Call, attempt: Attempt): void {
    this.#judge(call, attempt, attempt.respondedAt)
    this.#act()
  }

  /** The attempt has ended: only now is it known whether the response was complete. */
  end(call: Call, attempt: Attempt): void {
    this.#judge(call, attempt, attempt.endedAt)
    if (call.isTrial) this.#act()
  }

  /** Since when this process has been waiting for the backend, pauses excluded. */
  #askedAt({ askedAt }: Attempt): number | undefined {
    if (askedAt === undefined) return undefined
    return Math.max(askedAt, this.#pauses.resumedAt(this.#balancer.clock.now()))
  }

  #judge(call: Call, attempt: Attempt, at: number): void {
    const hasPaused = this.#pauses.happenedSince(attempt.startedAt, at)
    const verdict = this.#verdictOn(attempt, hasPaused)
    if (verdict === undefined) return call.withdraw(at)
    const duration = durationOf(attempt, at)
    // Durations across a pause are meaningless, so it does not count as slow.
    const counted = hasPaused ? 0 : duration
    if (verdict) return call.succeed(counted, at)
    if (call.epoch === this.#circuit.epoch) this.#failures.add(attempt, duration)
    call.fail(counted, at)
  }

  /**
   * Success (true), failure (false), or undefined = does not count; a trial then passes its slot on. A timeout or
   * broken connection during a pause of this process does not count; a refused connection does.
   */
  #verdictOn(attempt: Attempt, hasPaused: boolean): Verdict {
    const { blame, effectiveStatus: status, outcome } = attempt
    if (blame === 'backend' && (!hasPaused || outcome === 'connect-refused')) return false
    if (isPressure(attempt)) return undefined
    // Known since the headers arrived, even if the rest was aborted.
    if (this.#statuses.includes(status)) return false
    if (isAboutClient(status)) return undefined
    // A response that the client or the proxy aborted is no success.
    return blame === undefined ? true : undefined
  }

  /** Result of a probe that has just ended, and took so long (ms). */
  probed(good: boolean, took: number): void {
    const { state, openings } = this.#circuit
    if (state !== 'open' || this.#balancer.clock.now() - took < this.#changedOn) return
    const reason = this.#probes.add(good, openings, this.#failures.wasGone)
    if (reason !== undefined) this.#circuit.halfOpen(reason)
  }

  /** See `Circuit.hold`. */
  hold(state: HeldState, options?: HoldOptions): Hold {
    const hold = this.#circuit.hold(state, options)
    this.#act()
    const release = () => {
      hold.release()
      this.#act()
    }
    return { ...hold, release }
  }

  /** Releases every hold. */
  release(): void {
    this.#circuit.release()
    this.#act()
  }

  get view(): CircuitView {
    const { state, reason, openings, running, nextChangeAt } = this.#circuit
    return {
      backend: this.backend.id,
      state,
      since: this.#changedAt,
      reason,
      openings,
      trials: running,
      changesIn:
        nextChangeAt === undefined ? undefined : Math.max(0, Math.ceil(nextChangeAt - this.#balancer.clock.now())),
      until: this.#until,
      who: this.#circuit.held?.who,
      failures: this.#failures.notes,
    }
  }

  /** Stops for good, with all timers. */
  stop(): void {
    this.#stopped = true
    this.#setTimer()
  }

  /** The backend has left the list, or is to have no circuit any more. */
  leave(): void {
    this.stop()
    this.#circuit.forgetCalls()
    this.#veto.lift()
  }

  #changed(state: CircuitState, before: CircuitState, reason: string): void {
    this.#changedAt = Date.now()
    this.#changedOn = this.#balancer.clock.now()
    this.#probes.reset()
    this.#onChange(this, before, reason)
    this.#act()
    // Its caches are cold: full load at once might make it fail again.
    if (state === 'closed' && before === 'half-open') this.#balancer.warmUp(this.backend)
  }

  /** Updates veto and timer to the state of the circuit. */
  #act(): void {
    this.#setTimer()
    if (!this.#stopped) this.#veto.follow(this.#failures.notes, this.#until)
  }

  #setTimer(): void {
    const { clock } = this.#balancer
    const dueAt = this.#stopped ? undefined : this.#circuit.nextChangeAt
    if (dueAt === this.#timerDueAt) return
    clock.clearTimeout(this.#timer)
    this.#timerDueAt = dueAt
    this.#until = undefined
    if (dueAt === undefined) return
    // Timers may fire a fraction of a millisecond early; then it is set again.
    const delay = Math.max(1, Math.ceil(dueAt - clock.now()))
    this.#until = Date.now() + delay
    this.#timer = clock.setTimeout(() => {
      this.#timerDueAt = undefined
      this.#until = undefined
      this.#circuit.advance()
      this.#act()
    }, delay)
  }
}
