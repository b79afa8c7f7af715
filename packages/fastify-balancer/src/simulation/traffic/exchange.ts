// Room `simulation/traffic`: requests: when they come, whose they are, and how they pass through the balancer.
import type { Balancer, FailureReason, Outcome } from '@fastify-balancer/balancer-core'
import {
  exchangeFailed,
  isListed,
  progressLimit,
  Retries,
  TimeLimits,
  type Attempt,
  type AttemptRequest,
  type WaitingExchange,
} from '@fastify-balancer/balancer-core/exchange-rules'
import type { FastifyRequest } from 'fastify'
import type { Work } from '../world/serving-time.ts'
import type { User } from './keys.ts'

/** Who a request comes from. */
export interface Client {
  readonly user: User
  /** Its exchange has ended. */
  onEnd(exchange: SimulatedExchange): void
}

/** The request as a server gets it, with how much work it is. */
interface SimulatedRequest extends AttemptRequest, Work {}

const method = 'GET'
const url = '/'
const noHeaders: string[] = []

/**
 * One request on its way through, by the rules of the core's `Exchange`: it is picked for, waits in the balancer's queue,
 * is retried within the budget and ends once. Every decision is the core's own: picking, queue, retries, budget, time
 * limits, hooks. It leaves out what only real messages have: bodies, uploads, upgrades, gRPC, streams, rewriting, paths,
 * fresh connections after a stale one, hedging, classes in the queue, `maxExchanges`, and that refusals wait until other requests have been looked after.
 */
export class SimulatedExchange implements WaitingExchange, Work {
  readonly balancer: Balancer
  readonly client: Client
  readonly first: number
  readonly second: number
  readonly method = method
  readonly url = url
  readonly path = url
  readonly attempts: Attempt[] = []
  readonly upgrade = undefined
  readonly grpcStatus = undefined
  readonly tunnel = undefined
  readonly call = undefined
  readonly ownFailure = undefined
  answeredBy: Attempt | undefined
  readonly startedAt: number
  endedAt = 0
  outcome: Outcome | undefined
  error: unknown
  previousWaiter: WaitingExchange['previousWaiter']
  nextWaiter: WaitingExchange['nextWaiter']
  waiting = false
  rank = 0
  waitingSince = 0
  #current: Attempt | undefined
  #retries: Retries | undefined
  #limits: TimeLimits | undefined

  constructor(balancer: Balancer, client: Client, { first, second }: Work) {
    this.balancer = balancer
    this.client = client
    this.first = first
    this.second = second
    this.startedAt = balancer.clock.now()
  }

  get clock() {
    return this.balancer.clock
  }

  get counts(): Balancer['counts'] {
    return this.balancer.counts
  }

  get options(): Balancer['options'] {
    return this.balancer.options
  }

  get balancerName(): string {
    return this.balancer.name
  }

  get headers(): Readonly<Record<string, string>> {
    return this.client.user.headers
  }

  get address(): string {
    return this.client.user.address
  }

  /** As much of it as there is. */
  get request(): FastifyRequest {
    const { headers, address: ip } = this
    return { id: 'simulated', ip, method, url, headers, raw: { method, url, headers } } as unknown as FastifyRequest
  }

  get blame() {
    const { outcome } = this
    return outcome === undefined || outcome === 'ok' ? undefined : this.balancer.failures[outcome].blame
  }

  get failed(): boolean {
    return exchangeFailed(this)
  }

  get retries(): number {
    return this.attempts.filter(({ isRetry }) => isRetry).length
  }

  /** What the client gets: the backend's status, or that of the failure; 0 before it has ended. */
  get status(): number {
    const { outcome } = this
    if (outcome === undefined) return 0
    return outcome === 'ok' ? this.#current!.status : this.balancer.failures[outcome].status
  }

  begin(): void {
    const { balancer } = this
    const { request } = balancer.options.timeouts
    if (request > 0) this.#limit.start('request-timeout', request)
    balancer.budget.deposit(this.startedAt)
    this.proceed(balancer.pick(this))
  }

  proceed(picked: ReturnType<Balancer['pick']>): void {
    if (typeof picked === 'object') this.attempt(picked)
    else if (picked === 'none') this.fail('no-backend', undefined)
    else if (!this.#queue()) this.fail('queue-full', undefined)
  }

  attempt(attempt: Attempt): void {
    const { backend } = attempt
    this.#limits?.stop('queue-timeout')
    // The first attempt of this kind: all of them share this time limit.
    if (attempt.lastResort && this.attempts.at(-1)?.lastResort !== true)
      this.#limit.start('no-backend', this.balancer.options.timeouts.connect)
    this.attempts.push(attempt)
    this.#current = attempt
    const { first, second } = this
    const request: SimulatedRequest = { method, path: url, headers: noHeaders, body: null, first, second }
    attempt.start(backend.pool, request)
  }

  onSending(): void {
    if (this.#current!.lastResort) this.#limits?.stop('no-backend')
  }

  limitOf(attempt: Attempt): ReturnType<WaitingExchange['limitOf']> {
    return progressLimit(attempt, { body: null }, undefined, false, this.balancer.options.timeouts)
  }

  onResponse(attempt: Attempt): void {
    if (attempt !== this.#current || this.outcome !== undefined) return attempt.discard()
    if (isListed(attempt, this.balancer.options.retry) && this.#retry(attempt, 'status')) return attempt.discard()
    this.answeredBy = attempt
  }

  onComplete(): void {
    this.#end('ok')
  }

  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void {
    if (attempt !== this.#current || this.outcome !== undefined) return
    if (this.answeredBy === undefined && this.#retry(attempt, reason)) return
    this.fail(reason, error)
  }

  fail(reason: FailureReason, error: unknown): void {
    if (this.outcome !== undefined) return
    this.error = error
    const current = this.#current
    this.#end(reason)
    current?.cancel(reason)
  }

  onInformation(): void {}
  onData(): void {}

  onBorrowed(): boolean {
    return true
  }

  upgradeFault(): FailureReason {
    return 'upgrade-mismatch'
  }

  onUpgrade(): void {}

  turnAway(reason: FailureReason): void {
    this.#limit.stop('queue-timeout')
    this.fail(reason, undefined)
  }

  get #limit(): TimeLimits {
    return (this.#limits ??= new TimeLimits(this, 0))
  }

  /** Enters the queue; false when that is full. */
  #queue(): boolean {
    if (!this.balancer.queue.enter(this)) return false
    this.#limit.start('queue-timeout', this.balancer.options.timeouts.queue)
    return true
  }

  /** Another attempt, now or soon, if there may be one and a backend for it. */
  #retry(failed: Attempt, reason: FailureReason | 'status'): boolean {
    this.#retries ??= new Retries(this)
    const next = this.#retries.after(failed, reason, { method, body: null, upgrade: undefined })
    if (next === undefined) return false
    const goesOn = typeof next === 'object' || (next === 'saturated' && this.#queue())
    this.#retries.decided(goesOn)
    if (typeof next === 'object') this.#retries.proceed(next, failed, reason)
    return goesOn
  }

  #end(outcome: Outcome): void {
    this.outcome = outcome
    this.endedAt = this.clock.now()
    if (this.waiting) this.balancer.queue.leave(this)
    this.#retries?.stop()
    this.#limits?.stopAll()
    this.client.onEnd(this)
  }
}
