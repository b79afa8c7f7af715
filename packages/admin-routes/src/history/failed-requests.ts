import type { Attempt, ExchangeView } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { FailureView } from '../schemas/past-views.ts'

/** A request that has failed. */
type Failure = Static<typeof FailureView>

/** How many are kept. */
export const mostFailures = 100

/** Longest path and message that are kept (characters). */
const longest = 200

/** Most attempts that are kept of one request: the first ones. */
const mostAttempts = 10

/** A copy: a part of a string would keep all of it in memory. The message of an error may be any value, whatever the types say. */
function shortened(given: unknown): string {
  const text = String(given)
  return Buffer.from(text.length > longest ? `${text.slice(0, longest - 1)}…` : text).toString()
}

const round = (duration: number) => Math.round(duration * 10) / 10

function attemptView({ backend, outcome, status, grpcStatus, startedAt, endedAt, hedge, error }: Attempt, now: number) {
  return {
    backend: backend.id,
    outcome: outcome ?? 'pending',
    ...(status !== 0 && { status }),
    ...(grpcStatus !== undefined && { grpcStatus }),
    took: round((outcome === undefined ? now : endedAt) - startedAt),
    ...(hedge && { hedge }),
    // When a drain aborts a request, undici's message says "client" and means the connection.
    ...(error instanceof Error && outcome !== 'drain-deadline' && { error: shortened(error.message) }),
  }
}

/** For how long it last waited for a backend, in ms; undefined if it never did. */
function waited({ waitingSince, attempts }: ExchangeView, endedAt: number): number | undefined {
  if (waitingSince === 0) return undefined
  const next = attempts.find(({ startedAt }) => startedAt >= waitingSince)
  return round((next?.startedAt ?? endedAt) - waitingSince)
}

/**
 * The last failed requests of one balancer, as plain data: nothing of a request stays in memory, and neither headers nor
 * bodies are kept.
 */
export class FailedRequests {
  readonly #wallClock: () => number
  readonly #ring: Failure[] = []
  #next = 0

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock
  }

  add(exchange: ExchangeView, endedAt: number): void {
    const { method, path, status, grpcStatus, outcome = 'ok', blame = 'backend', startedAt, attempts } = exchange
    const wait = waited(exchange, endedAt)
    this.#ring[this.#next] = {
      at: this.#wallClock(),
      method,
      path: shortened(path),
      status,
      ...(grpcStatus !== undefined && { grpcStatus }),
      outcome,
      blame,
      took: round(endedAt - startedAt),
      ...(wait !== undefined && { waited: wait }),
      attempts: attempts.slice(0, mostAttempts).map((attempt) => attemptView(attempt, endedAt)),
    }
    this.#next = (this.#next + 1) % mostFailures
  }

  /** The newest first, at most so many. */
  latest(limit: number): readonly Failure[] {
    const sorted = [...this.#ring.slice(0, this.#next).toReversed(), ...this.#ring.slice(this.#next).toReversed()]
    return sorted.slice(0, limit)
  }
}
