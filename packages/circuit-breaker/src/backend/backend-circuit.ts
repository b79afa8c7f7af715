// Room `backend`: the circuit of one backend, fed by its attempts and acting by a veto.
import type { Attempt, Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import type { Call, Verdict } from '../circuit/call.ts'
import { Circuit } from '../circuit/circuit.ts'
import { CircuitVeto } from './circuit-veto.ts'
import type { CircuitState } from '../circuit/circuit-options.ts'
import type { HeldState, Hold, HoldOptions } from '../circuit/holds.ts'
import type { CircuitSettings } from './circuit-settings.ts'
import { isPressure } from './pressure.ts'
import { ProbeRow } from './probe-row.ts'
import { SettledTrip } from './settled-trip.ts'
import { RecentFailures, type FailureNote } from './recent-failures.ts'

/** What is to be seen of a backend's circuit. Plain data. */
export interface CircuitView {
  /** The id of the backend. */
  readonly backend: string
  readonly state: CircuitState
  /** In ms since the epoch. */
  readonly since: number
  /** The rule that decided. */
  readonly reason: string
  /** Openings in a row. */
  readonly openings: number
  /** Trials that are running. */
  readonly trials: number
  /** In so many whole ms time alone changes something: it becomes half-open, a trial or the hold in force runs out. */
  readonly changesIn: number | undefined
  /** The oldest first. */
  readonly failures: readonly FailureNote[]
}

/** It speaks of one client (RFC 6585 §4), and says nothing about the backend unless the option `statuses` has it. */
const tooManyRequests = 429

/** Hears of each change of the state. */
export type ChangeListener = (circuit: BackendCircuit, before: CircuitState, reason: string) => void

/**
 * How long the backend took, in ms: from when it had the whole request until its response headers, or until `at`, where
 * it has failed without. 0 for one that answered, or failed, before it had the whole request.
 */
function durationOf({ askedAt, status, responseTime }: Attempt, at: number): number {
  return status === 0 && askedAt !== undefined ? at - askedAt : responseTime
}

/**
 * The circuit of one backend, and what follows from it: there is a veto exactly while the circuit admits nothing. So it
 * is also vetoed while it is half-open and its trials are running: others keep their fair shares, a lower priority takes
 * over, and panic knows that there is nothing better.
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
  #changedAt = Date.now()
  #timer: unknown
  #timerDueAt: number | undefined
  #stopped = false

  /** `pauses` are those of this process: what it did not do in time is nobody else's fault. */
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

  /** Somebody holds it open, or closed. */
  get held(): boolean {
    return this.#circuit.held !== undefined
  }

  /** An attempt goes. In panic it goes although the circuit is open: then there is no call, and it says nothing. */
  start(attempt: Attempt): Call | undefined {
    const call = this.#circuit.begin(attempt.startedAt)
    if (call !== undefined && call.isTrial) {
      // How long a client takes to send its request is not the backend's fault.
      call.measureFrom(() => this.#askedAt(attempt))
      this.#act()
    }
    return call
  }

  /** Headers have arrived: enough for a trial, whose response may be a stream without end. */
  judgeTrial(call: Call, attempt: Attempt): void {
    this.#judge(call, attempt, attempt.respondedAt)
    this.#act()
  }

  /** It has ended, and only now is known to have arrived whole. */
  end(call: Call, attempt: Attempt): void {
    this.#judge(call, attempt, attempt.endedAt)
    if (call.isTrial) this.#act()
  }

  /** Since when the backend lets this process wait, as far as that could act. */
  #askedAt({ askedAt }: Attempt): number | undefined {
    if (askedAt === undefined) return undefined
    return Math.max(askedAt, this.#pauses.resumedAt(this.#balancer.clock.now()))
  }

  #judge(call: Call, attempt: Attempt, at: number): void {
    const hasPaused = this.#pauses.happenedSince(attempt.startedAt, at)
    const verdict = this.#verdictOn(attempt, hasPaused)
    if (verdict === undefined) return call.withdraw(at)
    const duration = durationOf(attempt, at)
    // How long it took says nothing across a pause, and so it was not slow.
    const counted = hasPaused ? 0 : duration
    if (verdict) return call.succeed(counted, at)
    if (call.epoch === this.#circuit.epoch) this.#failures.add(attempt, duration)
    call.fail(counted, at)
  }

  /**
   * As far as it has come. Undefined says nothing, and a trial's slot is the next one's. That time ran out, or a connection
   * broke, while this process stood still, may be its own doing; not so that nobody listens.
   */
  #verdictOn(attempt: Attempt, hasPaused: boolean): Verdict {
    const { blame, status, outcome } = attempt
    if (blame === 'backend' && (!hasPaused || outcome === 'connect-refused')) return false
    if (isPressure(attempt)) return undefined
    // Known when the headers arrived, whoever broke off the rest.
    if (this.#statuses.includes(status)) return false
    if (status === tooManyRequests) return undefined
    // A success that was broken off, by the client or by us, is none.
    return blame === undefined ? true : undefined
  }

  /** A probe that began at `at` (ms since the epoch) found the backend well, or not. */
  probed(good: boolean, at: number): void {
    const { state, openings } = this.#circuit
    if (state !== 'open' || at < this.#changedAt) return
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
      failures: this.#failures.notes,
    }
  }

  /** For good: no timer is left. */
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
    this.#probes.reset()
    this.#onChange(this, before, reason)
    this.#act()
    // Its caches are cold, and its queue was empty: what it failed under may come back at once.
    if (state === 'closed' && before === 'half-open') this.#balancer.warmUp(this.backend)
  }

  /** Lays the veto or lifts it, and sets the timer, as the circuit now says. */
  #act(): void {
    this.#setTimer()
    if (!this.#stopped) this.#veto.follow(this.#failures.notes)
  }

  #setTimer(): void {
    const { clock } = this.#balancer
    const dueAt = this.#stopped ? undefined : this.#circuit.nextChangeAt
    if (dueAt === this.#timerDueAt) return
    clock.clearTimeout(this.#timer)
    this.#timerDueAt = dueAt
    if (dueAt === undefined) return
    // Timers may be a fraction of a millisecond early; whatever is not due yet is waited for again.
    const delay = Math.max(1, Math.ceil(dueAt - clock.now()))
    this.#timer = clock.setTimeout(() => {
      this.#timerDueAt = undefined
      this.#circuit.advance()
      this.#act()
    }, delay)
  }
}
