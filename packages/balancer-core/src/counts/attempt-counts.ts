// Room `counts`: what is counted of the requests of a balancer and of their attempts.
import type { Attempt, AttemptCounter } from '../attempt/attempt.ts'
import type { Backend } from '../backends/backend.ts'
import { channels } from '../channels.ts'
import type { Clock } from '../clock.ts'
import { failures, type Outcome } from '../failure.ts'
import type { Hooks } from '../hooks.ts'
import type { TimeoutOptions } from '../backends/pool-options.ts'
import { Penalties } from '../attempt/failure-penalty.ts'
import { TimeLimitSweep } from '../attempt/time-limit-sweep.ts'

/**
 * Statuses that concern the client, not the backend: 429, too many requests of one client (RFC 6585 §4), and 501, an
 * unknown method (RFC 9110 §15.6.2). Any client could cause them at will.
 */
function isAboutClient(status: number): boolean {
  return status === 429 || status === 501
}

/** A failed attempt, or a 5xx: backends that do no work often answer 5xx quickly. */
function isPenalized({ effectiveStatus: status }: Attempt, outcome: Outcome): boolean {
  return outcome === 'ok' ? status >= 500 && !isAboutClient(status) : failures[outcome].blame === 'backend'
}

const sweptLimits = ({ connect, headers, idle }: TimeoutOptions) => [connect, headers, idle]

/** Counts the attempts of one balancer and calls its hooks: each start has exactly one end. */
export class AttemptCounts implements AttemptCounter {
  readonly sweep: TimeLimitSweep
  readonly #hooks: Hooks
  readonly #penalties: Penalties
  readonly #onFree: (backend: Backend) => void

  /** `onFree` is called whenever a backend has a free place again. */
  constructor(hooks: Hooks, clock: Clock, timeouts: TimeoutOptions, onFree: (backend: Backend) => void) {
    this.sweep = new TimeLimitSweep(clock, sweptLimits(timeouts))
    this.#hooks = hooks
    this.#penalties = new Penalties(clock)
    this.#onFree = onFree
  }

  /** From now on, the time limits are these. */
  limit(timeouts: TimeoutOptions): void {
    this.sweep.limit(sweptLimits(timeouts))
  }

  attemptStarted(attempt: Attempt): void {
    attempt.backend.inFlight++
    attempt.backend.requests++
    if (attempt.isRetry) attempt.backend.retries++
    if (attempt.exchange.upgrade !== undefined) attempt.backend.tunnelPlaces++
    this.sweep.enter(attempt)
    if (this.#hooks.onAttemptStart.length > 0) this.#hooks.tell('onAttemptStart', attempt)
    if (channels.attemptStart.hasSubscribers) channels.attemptStart.publish({ attempt })
  }

  attemptResponded(attempt: Attempt): void {
    // Until it has the whole request, the backend may be waiting for the client.
    if (attempt.uploaded) attempt.backend.latency.measure(attempt.responseTime, attempt.respondedAt)
    if (this.#hooks.onAttemptResponse.length > 0) this.#hooks.tell('onAttemptResponse', attempt)
    if (channels.attemptResponse.hasSubscribers) channels.attemptResponse.publish({ attempt })
  }

  attemptEnded(attempt: Attempt, outcome: Outcome): void {
    const { backend } = attempt
    this.sweep.leave(attempt)
    backend.outcomes[outcome] = (backend.outcomes[outcome] ?? 0) + 1
    if (attempt.failed) backend.failed++
    if (isPenalized(attempt, outcome)) this.#penalties.add(backend)
    // An upgraded one keeps its place until its tunnel ends.
    if (attempt.exchange.upgrade !== undefined && !attempt.upgraded) backend.tunnelPlaces--
    if (--backend.inFlight === 0) backend.tellIfIdle()
    this.#onFree(backend)
    if (this.#hooks.onAttemptEnd.length > 0) this.#hooks.tell('onAttemptEnd', attempt)
    if (channels.attemptEnd.hasSubscribers) channels.attemptEnd.publish({ attempt })
  }

  /** To be called when no attempt is in progress any more. */
  close(): void {
    this.sweep.stop()
    this.#penalties.stop()
  }
}
