import type { Balancer, Sending } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import type { Dispatcher, Pool } from 'undici'
import { Copy } from './copy.ts'
import { FailureLog } from './failure-log.ts'
import { isFailure, outcomes, type CopyOutcome } from './outcome.ts'
import type { ParsedOptions } from './options.ts'
import { openPool } from './pool.ts'

/** Says that a request is a copy, and of which balancer: its name, percent-encoded where a header cannot hold it. */
export const mark = 'x-balancer-mirror'

/** Why a request that was to be mirrored was not: its body is too long, or not in memory; or too many copies are in progress. */
export type DropReason = 'body' | 'full'

/** What has become of the copies to one server. `sent` is the sum of `inFlight` and all `outcomes`. */
export interface ReceiverView {
  readonly url: string
  readonly inFlight: number
  readonly sent: number
  readonly dropped: Readonly<Record<DropReason, number>>
  readonly outcomes: Readonly<Record<CopyOutcome, number>>
}

/** What it goes by. */
type ReceiverSettings = Pick<ParsedOptions, 'maxBody' | 'maxInFlight' | 'maxResponse' | 'timeouts'>

/** A server that gets copies. Nothing that happens here reaches the originals: nobody waits for it, and nothing is thrown. */
export class Receiver {
  readonly url: string
  readonly #balancer: Balancer
  readonly #pool: Pool
  readonly #isSecure: boolean
  readonly #servername: string
  readonly #failureLog: FailureLog
  readonly #mark: readonly [string, string]
  readonly #dropped = { body: 0, full: 0 }
  readonly #outcomes = Object.fromEntries(outcomes.map((one) => [one, 0])) as Record<CopyOutcome, number>
  #settings: ReceiverSettings
  #inFlight = 0
  #sent = 0
  #isClosed = false

  constructor(url: string, settings: ReceiverSettings, balancer: Balancer, log: FastifyBaseLogger | undefined) {
    const { name, clock } = balancer
    this.url = url
    this.#balancer = balancer
    this.#settings = settings
    const { protocol, hostname } = new URL(url)
    this.#isSecure = protocol === 'https:'
    this.#servername = hostname
    this.#mark = [mark, encodeURIComponent(name)]
    const now = () => clock.now()
    this.#failureLog = new FailureLog(log, now, { balancer: name, mirror: url })
    const timeout = () => this.#settings.timeouts.connect
    this.#pool = openPool(url, {
      get connectTimeout() {
        return timeout()
      },
      now,
    })
  }

  get view(): ReceiverView {
    const dropped = { ...this.#dropped }
    return { url: this.url, inFlight: this.#inFlight, sent: this.#sent, dropped, outcomes: { ...this.#outcomes } }
  }

  /** From now on it goes by these; copies in progress end as they began. */
  configure(settings: ReceiverSettings): void {
    this.#settings = settings
  }

  /** Sends a copy soon, if there is room: originals that have come in the meantime are sent first. */
  take(sending: Sending): void {
    const { maxBody, maxInFlight } = this.#settings
    const body = heldBody(sending)
    if (body === undefined || (body !== null && body.length > maxBody)) this.#dropped.body++
    else if (this.#inFlight >= maxInFlight) this.#dropped.full++
    else {
      this.#inFlight++
      this.#sent++
      setImmediate(() => this.#send(sending, body))
    }
  }

  /** Aborts all copies. Nobody has to wait for it. */
  close(): void {
    this.#isClosed = true
    void this.#pool.destroy()
  }

  #send({ method, path, headers }: Sending, body: Buffer | null): void {
    const { timeouts, maxResponse } = this.#settings
    const limits = { isSecure: this.#isSecure, timeout: timeouts.request, maxResponse }
    const copy = new Copy(limits, this.#balancer.clock, (outcome, error) => this.#ended(outcome, error))
    const request: Dispatcher.DispatchOptions & { servername: string } = {
      method,
      path,
      headers: [...headers, ...this.#mark],
      body,
      // undici would open a new connection whenever Host differs.
      servername: this.#servername,
    }
    // undici would close the connection after HEAD, for fear of servers that send a body.
    this.#pool.dispatch(method === 'HEAD' && body === null ? { ...request, reset: false } : request, copy)
  }

  #ended(outcome: CopyOutcome, error: unknown): void {
    const counted = this.#isClosed ? 'closed' : outcome
    this.#inFlight--
    this.#outcomes[counted]++
    if (isFailure(counted)) this.#failureLog.failed(counted, error)
  }
}

/** The body, `null` if there is none; undefined if it is not in memory, so that it can be sent only once. */
function heldBody({ body, held }: Sending): Buffer | null | undefined {
  if (held !== undefined) return undefined
  if (body === null || body === undefined) return null
  return Buffer.isBuffer(body) ? body : undefined
}
