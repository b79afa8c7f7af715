// Room `circuit`: the circuit itself: closed, open, half-open, held; it knows no backend.
import { performance } from 'node:perf_hooks'
import { Call, type Report } from './call.ts'
import {
  circuitDefaults,
  figuresOf,
  type CircuitFigures,
  type CircuitOptions,
  type CircuitState,
} from './circuit-options.ts'
import { Consecutive } from '../trip/consecutive.ts'
import { spoken } from '@fastify-balancer/option-schema'
import { Holds, type HeldState, type Hold, type HoldOptions } from './holds.ts'
import { Openings } from './open-time.ts'
import { run } from './run.ts'
import { Trials } from './trials.ts'
import type { TripRule } from '../trip/trip-rule.ts'

/**
 * A circuit breaker: a state machine without timers. Changes by time are applied when its state is read, or at
 * `advance`, which an owner with timers may call at `nextChangeAt`.
 */
export class Circuit {
  #trip: TripRule
  #figures: CircuitFigures
  readonly #trials: Trials
  readonly #counts: (error: unknown) => boolean
  readonly #now: () => number
  readonly #random: () => number
  readonly #onChange: CircuitOptions['onChange']
  readonly #report: Report = (call, verdict, duration, at) => this.#settle(call, verdict, duration, at)
  readonly #holds = new Holds()
  #held: Hold | undefined
  #state: CircuitState = 'closed'
  #epoch = 0
  #since: number
  #reason = 'new'
  readonly #openings = new Openings()
  #dueAt = Infinity

  /** @throws RangeError for a value with which it might never close again */
  constructor(options: CircuitOptions = {}) {
    this.#figures = figuresOf(options)
    this.#trip = options.trip ?? new Consecutive(circuitDefaults)
    this.#trials = new Trials(this.#figures.trials, this.#figures.trialTimeout)
    this.#counts = options.counts ?? (() => true)
    this.#now = options.now ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#onChange = options.onChange
    this.#since = this.#now()
  }

  /** Goes by these from now on; it stays in its state, and open for as long as it began. @throws RangeError */
  configure(figures: Partial<CircuitFigures>, trip: TripRule): void {
    this.advance()
    this.#figures = figuresOf(figures)
    this.#trip = trip
    this.#trials.configure(this.#figures.trials, this.#figures.trialTimeout)
  }

  /** Calls in progress no longer count, however they end. */
  forgetCalls(): void {
    this.#epoch++
    this.#trials.reset()
  }

  get state(): CircuitState {
    this.advance()
    return this.#state
  }

  /** Since when it is in its state, on its clock (ms). */
  get since(): number {
    this.advance()
    return this.#since
  }

  /** Why it is in its state. */
  get reason(): string {
    this.advance()
    return this.#reason
  }

  /** Openings in a row: 0 after it was closed for as long as it had been open, or a hold was released. */
  get openings(): number {
    this.advance()
    return this.#hasRecovered(this.#now()) ? 0 : this.#openings.count
  }

  /** Increases whenever counting starts anew: on each change of the state, hold or release. */
  get epoch(): number {
    this.advance()
    return this.#epoch
  }

  /** Trials in progress. */
  get running(): number {
    this.advance()
    return this.#trials.running
  }

  /** When the next change by time alone is due, on its clock (ms); undefined = never. */
  get nextChangeAt(): number | undefined {
    return this.#dueAt === Infinity ? undefined : this.#dueAt
  }

  /** Applies the changes that are due by `at`. */
  advance(at?: number): void {
    if (this.#dueAt === Infinity) return
    const now = at ?? this.#now()
    while (this.#dueAt <= now) this.#passDue(this.#dueAt)
  }

  /** Whether a call may begin now. Does not reserve anything. */
  admits(at?: number): boolean {
    this.advance(at)
    return this.#state === 'closed' || (this.#state === 'half-open' && !this.#trials.isFull)
  }

  /** Begins a call, at `at` (ms on its clock, default now); undefined when none is admitted. */
  begin(at: number = this.#now()): Call | undefined {
    if (!this.admits(at)) return undefined
    const isTrial = this.#state === 'half-open'
    const call = new Call(this.#report, at, this.#epoch, isTrial)
    if (isTrial) {
      this.#trials.begin(call)
      this.#schedule()
    }
    return call
  }

  /**
   * Calls the function and counts the result: a rejected promise is a failure, if `counts` says so.
   * @throws CircuitOpenError when no call is admitted
   */
  run<T>(start: () => T | PromiseLike<T>): Promise<T> {
    return run(this, start, this.#counts)
  }

  /** The hold in force. */
  get held(): Hold | undefined {
    return this.#held
  }

  /** Makes it half-open before its time; does nothing unless it is open. */
  halfOpen(reason: string): void {
    const now = this.#now()
    this.advance(now)
    if (this.#state === 'open') this.#enter('half-open', now, reason)
  }

  /**
   * Holds it open or closed until the hold is released or its `ttl` has passed. Open has precedence.
   * @throws RangeError for a `ttl` that is not above 0
   */
  hold(state: HeldState, { ttl = Infinity, reason = `held ${state} by hand`, who }: HoldOptions = {}): Hold {
    if (!(ttl > 0)) throw new RangeError('ttl: expected a number above 0')
    const now = this.#now()
    this.advance(now)
    const release = () => {
      const at = this.#now()
      this.advance(at)
      if (this.#holds.delete(hold)) this.#obey(at, 'released')
    }
    const hold: Hold = { state, reason, who, endsAt: now + ttl, release }
    this.#holds.add(hold)
    this.#obey(now, 'released')
    return hold
  }

  /** Holds it open: no call is admitted until every hold is released. Then it is closed and counts anew. */
  isolate(options?: HoldOptions): Hold {
    return this.hold('open', options)
  }

  /** Releases every hold. */
  release(): void {
    const now = this.#now()
    this.advance(now)
    this.#holds.clear()
    this.#obey(now, 'released')
  }

  #passDue(due: number): void {
    if (this.#held !== undefined) this.#obey(due, 'the hold has expired')
    else if (this.#state === 'open') this.#enter('half-open', due, `was open for ${spoken(this.#openings.lasts)}`)
    else if (this.#trials.pass(due)) this.#open(due, `a trial took longer than ${spoken(this.#figures.trialTimeout)}`)
    else this.#schedule()
  }

  #settle(call: Call, verdict: boolean | undefined, given: number | undefined, at: number = this.#now()): void {
    this.advance(at)
    if (call.epoch !== this.#epoch) return
    if (call.isTrial) this.#trials.end(call)
    if (call.isTrial) this.#schedule()
    if (verdict === undefined || this.#held !== undefined) return
    const duration = given ?? at - (call.beganAt ?? at)
    if (call.isTrial) this.#judge(verdict, duration, at)
    else {
      const reason = this.#trip.record(!verdict, duration, at)
      if (reason !== undefined) this.#open(at, reason)
    }
  }

  #judge(succeeded: boolean, duration: number, at: number): void {
    if (!succeeded) return this.#open(at, 'a trial failed')
    if (this.#trip.isSlow?.(duration) === true) return this.#open(at, `a trial was slow: ${spoken(duration)}`)
    const succeededSoFar = ++this.#trials.succeeded
    if (succeededSoFar < this.#figures.needed) return
    this.#enter('closed', at, succeededSoFar === 1 ? 'a trial succeeded' : `${succeededSoFar} trials succeeded`)
  }

  #open(at: number, reason: string): void {
    if (this.#hasRecovered(at)) this.#openings.forgive()
    this.#openings.begin(at, this.#figures, this.#random())
    this.#enter('open', at, reason)
  }

  #hasRecovered(at: number): boolean {
    return this.#state === 'closed' && at - this.#since >= this.#openings.lasts
  }

  /** Applies the hold in force. If its state is the same as before, only reason and end change. */
  #obey(at: number, released: string): void {
    const before = this.#held
    const hold = (this.#held = this.#holds.inForce(at))
    if (hold?.state === before?.state) {
      this.#reason = hold?.reason ?? this.#reason
      return this.#schedule()
    }
    this.#openings.forgive()
    this.#enter(hold?.state === 'open' ? 'isolated' : 'closed', at, hold?.reason ?? released)
  }

  #enter(state: CircuitState, at: number, reason: string): void {
    const before = this.#state
    this.#state = state
    this.#since = at
    this.#reason = reason
    this.#epoch++
    this.#trials.reset()
    this.#trip.reset()
    this.#schedule()
    if (state !== before) this.#onChange?.(state, before, reason)
  }

  #schedule(): void {
    this.#dueAt = this.#held?.endsAt ?? (this.#state === 'open' ? this.#openings.until : this.#trials.dueAt)
  }
}
