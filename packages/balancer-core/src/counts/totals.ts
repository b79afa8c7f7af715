import type { ExchangeView } from '../attempt/attempt.ts'
import { byClass, countStatus, noStatuses, type StatusCounts } from '../backends/counts/status-counts.ts'
import type { Outcome } from '../failure.ts'

const sum = (counts: StatusCounts) => counts.reduce((total, count) => total + count, 0)

/** The ended requests of one balancer. A request for a tunnel ends with its handshake. */
export class Totals {
  requests = 0
  /** Of those, the failed ones: see `exchangeFailed`. */
  failed = 0
  /** Their attempts after the first, without hedges. */
  retries = 0
  /** By class of the status that was sent to the client. */
  readonly responses: StatusCounts = noStatuses()
  /** By outcome, and within that by class of the status. */
  readonly outcomes: Partial<Record<Outcome, StatusCounts>> = {}

  /** One has ended. */
  add(exchange: ExchangeView): void {
    const { outcome = 'ok', status } = exchange
    this.requests++
    if (exchange.failed) this.failed++
    this.retries += exchange.retries
    countStatus(this.responses, status)
    countStatus((this.outcomes[outcome] ??= noStatuses()), status)
  }

  /** The view that the admin API and `console.log` show. */
  toJSON() {
    const { requests, failed, retries, responses, outcomes } = this
    const entries = Object.entries(outcomes).map(([outcome, statuses]) => [outcome, sum(statuses)] as const)
    return { requests, failed, retries, responses: byClass(responses), outcomes: Object.fromEntries(entries) }
  }
}
