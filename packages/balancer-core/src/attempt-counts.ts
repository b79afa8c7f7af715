import type { Attempt, AttemptCounter } from './attempt/attempt.ts'
import type { Backend } from './backends/backend.ts'
import { channels } from './channels.ts'
import type { Clock } from './clock.ts'
import { failures, type Outcome } from './failure.ts'
import type { Hooks } from './hooks.ts'
import type { TimeoutOptions } from './backends/pool-options.ts'
import { Penalties } from './attempt/failure-penalty.ts'
import { TimeLimitSweep } from './attempt/time-limit-sweep.ts'

/**
 * Answers that are about the one who asks, not about the backend: 429, too many requests of one client (RFC 6585 §4), and
 * 501, a method that it does not know (RFC 9110 §15.6.2). Any client could bring them about at will.
 */
function isAboutClient(status: number): boolean {
  return status === 429 || status === 501
}

/** By its outcome, or by a response that a backend is quick to give when it does not do the work. */
function hasFailed({ status }: Attempt, outcome: Outcome): boolean {
  return outcome === 'ok' ? status >= 500 && !isAboutClient(status) : failures[outcome].blame === 'backend'
}

const sweptLimits = ({ connect, headers, idle }: TimeoutOptions) => [connect, headers, idle]

/** Keeps count of the attempts of one balancer, and tells its hooks: whatever goes in comes out once. */
export class AttemptCounts implements AttemptCounter {
  readonly sweep: TimeLimitSweep
  readonly #hooks: Hooks
  readonly #penalties: Penalties
  readonly #onFree: (backend: Backend) => void

  /** `onFree` hears of each place that has become free. */
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
    this.sweep.enter(attempt)
    if (this.#hooks.onAttemptStart.length > 0) this.#hooks.tell('onAttemptStart', attempt)
    if (channels.attemptStart.hasSubscribers) channels.attemptStart.publish({ attempt })
  }

  attemptResponded(attempt: Attempt): void {
    // Before it had the whole request, it may be the client that it waited for.
    if (attempt.uploaded) attempt.backend.latency.measure(attempt.responseTime, attempt.respondedAt)
    if (this.#hooks.onAttemptResponse.length > 0) this.#hooks.tell('onAttemptResponse', attempt)
    if (channels.attemptResponse.hasSubscribers) channels.attemptResponse.publish({ attempt })
  }

  attemptEnded(attempt: Attempt, outcome: Outcome): void {
    const { backend } = attempt
    this.sweep.leave(attempt)
    backend.outcomes[outcome] = (backend.outcomes[outcome] ?? 0) + 1
    if (hasFailed(attempt, outcome)) this.#penalties.add(backend)
    if (--backend.inFlight === 0) for (const idle of backend.whenIdle.splice(0)) idle()
    this.#onFree(backend)
    if (this.#hooks.onAttemptEnd.length > 0) this.#hooks.tell('onAttemptEnd', attempt)
    if (channels.attemptEnd.hasSubscribers) channels.attemptEnd.publish({ attempt })
  }

  /** Nothing is under way any more. */
  close(): void {
    this.sweep.stop()
    this.#penalties.stop()
  }
}
