import assert from 'node:assert/strict'
import type { Call } from '../../src/circuit/call.ts'
import { Circuit } from '../../src/circuit/circuit.ts'
import type { CircuitState } from '../../src/circuit/circuit-options.ts'
import { Consecutive } from '../../src/trip/consecutive.ts'
import type { Hold } from '../../src/circuit/holds.ts'

/** What the circuit and its model are given alike. */
export interface Figures {
  readonly failures: number
  readonly window: number
  readonly openFor: number
  readonly growth: number
  readonly maxOpenFor: number
  readonly jitter: number
  readonly trials: number
  readonly needed: number
  readonly trialTimeout: number
}

/**
 * One thing that may happen. `pick` chooses among the calls or holds there are. The time of a call that begins `uploading`
 * begins when it is `uploaded`.
 */
export type Step =
  | { readonly do: 'begin' }
  | { readonly do: 'begin uploading' }
  | { readonly do: 'uploaded'; readonly pick: number }
  | { readonly do: 'release all' }
  | { readonly do: 'release'; readonly pick: number }
  | { readonly do: 'succeed' | 'fail' | 'withdraw'; readonly pick: number }
  | { readonly do: 'wait'; readonly time: number }
  | { readonly do: 'hold'; readonly state: 'open' | 'closed'; readonly ttl: number | undefined }

interface ModelCall {
  readonly call: Call
  /** When its time began; undefined if it has not yet. */
  wholeAt: number | undefined
  readonly startedAt: number
  /** Which period of the model it began in. */
  readonly period: object
  /** It was overdue, and not to blame. */
  givenOn: boolean
  ended: boolean
}

interface ModelHold {
  readonly hold: Hold
  readonly state: 'open' | 'closed'
  readonly reason: string
  readonly endsAt: number
}

/**
 * A circuit beside the plainest description of what it has to do. The model moves time on one millisecond at a time, so
 * that it needs no notion of what is due when; only how long an opening lasts is taken from the circuit, within bounds.
 */
export class Pair {
  readonly #figures: Figures
  readonly #circuit: Circuit
  #now = 0
  readonly #calls: ModelCall[] = []
  #holds: ModelHold[] = []
  #state: CircuitState = 'closed'
  #since = 0
  #period: object = {}
  #row: number[] = []
  #openings = 0
  #openFor = 0
  #orders = 0
  #succeeded = 0

  constructor(figures: Figures, random: () => number) {
    this.#figures = figures
    this.#circuit = new Circuit({ ...figures, trip: new Consecutive(figures), now: () => this.#now, random })
  }

  /** What kind of state it is in now. */
  get seen(): string {
    if (this.#state === 'closed' && this.#held === 'closed') return 'closed, held'
    if (this.#state === 'half-open' && this.#mine.some(({ givenOn }) => givenOn)) return 'half-open, given on'
    return this.#running.length === this.#figures.trials ? 'half-open, full' : this.#state
  }

  do(step: Step): void {
    if (step.do === 'begin') this.#begin(false)
    else if (step.do === 'begin uploading') this.#begin(true)
    else if (step.do === 'uploaded') this.#uploaded(step.pick)
    else if (step.do === 'wait') this.#wait(step.time)
    else if (step.do === 'hold') this.#hold(step.state, step.ttl)
    else if (step.do === 'release all') {
      this.#circuit.release()
      this.#holds = []
      this.#obey()
    } else if (step.do === 'release') this.#release(step.pick)
    else this.#end(step.do, step.pick)
    this.#compare()
  }

  /** However it was left: when all is let go, time passes and calls go well, it is closed. */
  recover(): void {
    this.do({ do: 'release all' })
    for (let round = 0; round < 2 * this.#figures.needed + 2; round++) {
      this.do({ do: 'wait', time: this.#figures.maxOpenFor + this.#figures.trialTimeout })
      this.do({ do: 'begin' })
      this.do({ do: 'succeed', pick: this.#calls.length - 1 })
    }
    assert.equal(this.#circuit.state, 'closed', 'it is not stuck')
  }

  get #running(): ModelCall[] {
    return this.#state === 'half-open' ? this.#mine.filter(({ givenOn }) => !givenOn) : []
  }

  /** Calls of this period that have not ended. */
  get #mine(): ModelCall[] {
    return this.#calls.filter((one) => !one.ended && one.period === this.#period)
  }

  #begin(uploading: boolean): void {
    const admitted =
      this.#state === 'closed' || (this.#state === 'half-open' && this.#running.length < this.#figures.trials)
    assert.equal(this.#circuit.admits(), admitted, 'it admits')
    const call = this.#circuit.begin()
    assert.equal(call !== undefined, admitted, 'a call begins')
    if (call === undefined) return
    assert.equal(call.isTrial, this.#state === 'half-open')
    const startedAt = this.#now
    const wholeAt = uploading ? undefined : startedAt
    const one: ModelCall = { call, wholeAt, startedAt, period: this.#period, givenOn: false, ended: false }
    this.#calls.push(one)
    if (uploading) call.measureFrom(() => one.wholeAt)
  }

  #uploaded(pick: number): void {
    const one = this.#calls[pick % this.#calls.length]
    if (one !== undefined) one.wholeAt ??= this.#now
  }

  #end(how: 'succeed' | 'fail' | 'withdraw', pick: number): void {
    const one = this.#calls[pick % this.#calls.length]
    if (one === undefined) return
    const counts = !one.ended && one.period === this.#period && how !== 'withdraw' && this.#held === undefined
    one.call[how]()
    one.ended = true
    if (!counts) return
    if (this.#state === 'half-open') {
      if (how === 'fail') this.#open()
      else if (++this.#succeeded >= this.#figures.needed) this.#enter('closed')
    } else if (how === 'succeed') this.#row = []
    else {
      const { window, failures } = this.#figures
      const last = this.#row.at(-1)
      if (last !== undefined && window > 0 && this.#now - last > window) this.#row = []
      this.#row.push(this.#now)
      if (this.#row.length >= failures) this.#open()
    }
  }

  #wait(time: number): void {
    for (let passed = 0; passed < time; passed++) {
      this.#now++
      const held = this.#holds.length
      this.#holds = this.#holds.filter(({ endsAt }) => endsAt > this.#now)
      if (this.#holds.length < held) this.#obey()
      const { trialTimeout } = this.#figures
      const overdue = this.#running.filter(
        ({ startedAt, wholeAt = startedAt }) => trialTimeout > 0 && this.#now - wholeAt >= trialTimeout,
      )
      if (overdue.some(({ wholeAt }) => wholeAt !== undefined)) this.#open()
      // What lies below a millisecond is due with the next one.
      else if (this.#state === 'open' && this.#now >= Math.ceil(this.#since + this.#openFor)) this.#enter('half-open')
      for (const one of overdue) one.givenOn = true
    }
  }

  #hold(state: 'open' | 'closed', ttl: number | undefined): void {
    const reason = `order ${++this.#orders}`
    const hold = this.#circuit.hold(state, { reason, ...(ttl !== undefined && { ttl }) })
    this.#holds.push({ hold, state, reason, endsAt: this.#now + (ttl ?? Infinity) })
    this.#obey()
  }

  #release(pick: number): void {
    const one = this.#holds[pick % this.#holds.length]
    if (one === undefined) return
    one.hold.release()
    one.hold.release()
    this.#holds = this.#holds.filter((other) => other !== one)
    this.#obey()
  }

  #heldBefore: 'open' | 'closed' | undefined
  get #held(): 'open' | 'closed' | undefined {
    if (this.#holds.some(({ state }) => state === 'open')) return 'open'
    return this.#holds.length > 0 ? 'closed' : undefined
  }

  #obey(): void {
    const held = this.#held
    if (held === this.#heldBefore) return
    this.#heldBefore = held
    this.#openings = this.#openFor = 0
    this.#enter(held === 'open' ? 'isolated' : 'closed')
  }

  #open(): void {
    const recovered = this.#state === 'closed' && this.#now - this.#since >= this.#openFor
    this.#openings = recovered ? 1 : this.#openings + 1
    // Time stands still while calls end; what a timeout has opened is looked at in the same millisecond.
    assert.equal(this.#circuit.state, 'open', 'it has opened')
    const { openFor, growth, maxOpenFor, jitter } = this.#figures
    const plain = Math.min(openFor * growth ** (this.#openings - 1), maxOpenFor)
    this.#openFor = this.#circuit.nextChangeAt! - this.#now
    assert.ok(this.#openFor >= plain * (1 - jitter) - 1e-6, `${this.#openFor} is not too short`)
    assert.ok(this.#openFor <= Math.min(plain * (1 + jitter), maxOpenFor) + 1e-6, `${this.#openFor} is not too long`)
    this.#enter('open')
  }

  #enter(state: CircuitState): void {
    this.#state = state
    this.#since = this.#now
    this.#period = {}
    this.#row = []
    this.#succeeded = 0
  }

  #compare(): void {
    assert.equal(this.#circuit.state, this.#state)
    assert.equal(this.#circuit.running, this.#running.length, 'slots taken')
    assert.ok(this.#circuit.running <= this.#figures.trials)
    const due = this.#circuit.nextChangeAt
    assert.ok(due === undefined || due > this.#now, 'nothing is overdue')
    const inForce = this.#holds.findLast(({ state }) => state === this.#held)
    if (inForce === undefined) return
    assert.equal(this.#circuit.reason, inForce.reason, 'whose order it is')
    assert.equal(due ?? Infinity, inForce.endsAt, 'how long it holds')
  }
}
