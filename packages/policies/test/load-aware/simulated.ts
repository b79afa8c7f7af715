import {
  Balancer,
  corePolicies,
  type Attempt,
  type Backend,
  type BackendOptions,
  type BalancerOptions,
  type PolicyDetails,
} from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { ManualClock } from '../../../../test/support/clock.ts'
import { policies } from '../../src/index.ts'

/** Is it this number, but for errors of rounding? */
export function close(actual: unknown, expected: number): void {
  const isClose = Math.abs((actual as number) - expected) < 1e-9 * Math.max(1, expected)
  assert.ok(isClose, `${String(actual)}, not ${expected}`)
}

/** The same numbers for ever: a linear congruential generator. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** A real balancer in simulated time: its backends answer when the test says so. */
export class Simulated {
  readonly clock = new ManualClock(1000)
  readonly balancer: Balancer

  constructor(policy: unknown, backends: readonly (string | BackendOptions)[], options: BalancerOptions = {}) {
    const { clock } = this
    const timeouts = { headers: 0, idle: 0, connect: 0 }
    const given = { random: seeded(1), ...options, clock, timeouts, backends, policy: policy as never }
    this.balancer = new Balancer(given, undefined, { ...corePolicies, ...policies })
  }

  /** A request that is picked a backend, and sent there as far as it goes; undefined if there is none. */
  request(request: Readonly<Record<string, unknown>> = {}): Attempt | undefined {
    const { balancer } = this
    const nothing = () => {}
    const exchange = {
      ...{
        method: 'GET',
        url: '/',
        headers: {},
        attempts: [] as Attempt[],
        clock: this.clock,
        counts: balancer.counts,
      },
      ...{ limitOf: () => ({ limit: 0 }), onSending: nothing, onInformation: nothing, onResponse: nothing },
      ...{ onData: nothing, onComplete: nothing, onFailure: nothing, ...request },
    }
    const attempt = balancer.pick(exchange as never)
    if (typeof attempt !== 'object') return undefined
    exchange.attempts.push(attempt)
    const controller = { abort: (error: Error) => attempt.onResponseError(null, error) }
    const pool = {
      dispatch() {
        attempt.onRequestStart(controller as never)
        if (request['uploads'] !== true) attempt.onRequestSent()
        return true
      },
    }
    attempt.start(pool, { path: '/', method: 'GET', headers: [] })
    return attempt
  }

  /** Like `request`, of a set that is not empty. */
  ask(request: Readonly<Record<string, unknown>> = {}): Attempt {
    const attempt = this.request(request)
    assert.ok(attempt)
    return attempt
  }

  /** The backend's response headers, and no more. */
  respond(attempt: Attempt, status = 200, headers: Record<string, string> = {}): void {
    attempt.onResponseStart(undefined as never, status, headers)
  }

  end(attempt: Attempt): void {
    attempt.onResponseEnd(undefined as never, {})
  }

  answer(attempt: Attempt, status = 200, headers: Record<string, string> = {}): void {
    this.respond(attempt, status, headers)
    this.end(attempt)
  }

  /** The connection breaks. */
  fail(attempt: Attempt): void {
    attempt.onResponseError(null, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  }

  /** A backend answers one request in `duration` ms: it is the one that is picked. */
  serve(duration: number, status = 200, headers: Record<string, string> = {}): Backend {
    const attempt = this.ask()
    this.clock.advance(duration)
    this.answer(attempt, status, headers)
    return attempt.backend
  }

  backend(id: string): Backend {
    return this.balancer.backends.find((one) => one.id === id)!
  }

  get picked(): string | null {
    return this.balancer.explain().picked
  }

  score(id: string): number | null {
    return this.balancer.explain().backends.find((one) => one.id === id)!.score
  }

  details(id: string): PolicyDetails {
    return this.balancer.explain().backends.find((one) => one.id === id)!.details!
  }

  /**
   * `clients` that each send the next request when the last was answered, for `duration` ms in steps of 1 ms. Answers how
   * many requests each backend got; `onPick` is told of each.
   */
  run(
    clients: number,
    duration: number,
    answerOf: (backend: Backend, now: number) => { readonly after: number; readonly status?: number },
    onPick: (backend: Backend, now: number) => boolean | void = () => {},
  ): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    const due: { readonly attempt: Attempt; readonly at: number; readonly status: number | undefined }[] = []
    let isOver = false
    const send = () => {
      const attempt = this.ask()
      const now = this.clock.now()
      const { after, status } = answerOf(attempt.backend, now)
      counts[attempt.backend.id] = (counts[attempt.backend.id] ?? 0) + 1
      if (onPick(attempt.backend, now) === true) isOver = true
      due.push({ attempt, at: now + after, status })
    }
    for (let client = 0; client < clients; client++) send()
    for (let step = 0; (step < duration && !isOver) || due.length > 0; step++) {
      this.clock.advance(1)
      const now = this.clock.now()
      const ready = due.filter(({ at }) => at <= now)
      for (const one of ready) due.splice(due.indexOf(one), 1)
      for (const { attempt, status } of ready) {
        this.answer(attempt, status)
        if (step < duration && !isOver) send()
      }
    }
    return counts
  }
}

/** `ids` as backends that nothing listens at. */
export function listOf(...ids: string[]): { url: string; id: string; maxInFlight: number }[] {
  return ids.map((id) => ({ id, url: `http://${id}.test`, maxInFlight: 1000 }))
}
