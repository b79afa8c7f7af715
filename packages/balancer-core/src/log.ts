import { spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { Attempt, ExchangeView } from './attempt/attempt.ts'
import type { TunnelEnd, TunnelView } from './backends/backend.ts'
import { presentedIn } from './connections/tls/presented.ts'
import { failures, type Outcome } from './failure.ts'

type Level = 'info' | 'warn' | 'error'

function isWritten(log: FastifyBaseLogger, level: Level): boolean {
  const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
  // Fastify's null logger has one empty function for all levels.
  return isLevelEnabled === undefined ? log.info !== log.error : isLevelEnabled.call(log, level)
}

const round = (duration: number) => Math.round(duration * 100) / 100

/** The name and password before a host, in a target in absolute form. */
const credentials = /^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i

/** What is logged of a request target. The query may hold a token or a password: it is left out unless it is asked for. */
export function shownUrl(target: string, withQuery: boolean): string {
  const url = target.startsWith('/') ? target : target.replace(credentials, '$1')
  const end = withQuery ? -1 : url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** Failures of code in this process, the app's or ours: the stack tells where. */
const bugs = new Set<Outcome>(['rewrite-failed', 'request-refused'])

/**
 * `info`: forwarded, or failed because of the client. `warn`: failed because of a backend, or for lack of capacity.
 * `error`: a bug in this process.
 */
function levelOf(outcome: Outcome): Level {
  if (outcome === 'ok' || failures[outcome].blame === 'client') return 'info'
  return bugs.has(outcome) ? 'error' : 'warn'
}

/** One attempt of an exchange; durations in ms since the attempt began. */
function attemptFields(attempt: Attempt): object {
  const { startedAt } = attempt
  const certificate = presentedIn(attempt.error)
  return {
    backend: attempt.backend.id,
    outcome: attempt.outcome ?? 'pending',
    ...(attempt.status !== 0 && { status: attempt.status }),
    ...(attempt.grpcStatus !== undefined && { grpcStatus: attempt.grpcStatus }),
    ...(attempt.started && { connected: round(attempt.sentAt - startedAt) }),
    ...(attempt.status !== 0 && { responded: round(attempt.respondedAt - startedAt) }),
    ...(attempt.outcome !== undefined && { ended: round(attempt.endedAt - startedAt) }),
    ...(attempt.reused && { reused: true }),
    ...(attempt.lastResort && { lastResort: true }),
    ...(attempt.hedge && { hedge: true }),
    // When a drain aborts a request, undici's message says "client" and means the connection.
    ...(attempt.error instanceof Error && attempt.outcome !== 'drain-deadline' && { error: attempt.error.message }),
    ...(certificate !== undefined && { certificate }),
  }
}

/** Bytes from the client to the backend, and back, and how long it was open, in ms. */
function tunnelFields({ protocol, bytesSent, bytesReceived, openedAt, closedAt, closedBy }: TunnelView): object {
  return { protocol, bytesSent, bytesReceived, duration: round(closedAt - openedAt), closedBy }
}

/** Why a tunnel ended, in words. */
const ends: Readonly<Record<TunnelEnd, string>> = {
  client: 'closed by the client',
  backend: 'closed by the backend',
  idle: 'closed as idle',
  linger: 'closed, since one side had ended and the other did not',
  'max-age': 'closed at its maximum age',
  drain: 'closed by a drain',
  shutdown: 'closed by the shutdown',
  operator: 'closed by an operator',
}

function messageOf(exchange: ExchangeView, outcome: Outcome, duration: number): string {
  const { attempts, error, tunnel, failed, status, grpcStatus } = exchange
  if (tunnel !== undefined) return `tunnel ${ends[tunnel.closedBy ?? 'client']} after ${spoken(duration)}`
  if (outcome === 'ok' && !failed) return 'forwarded'
  // Of two at once, the last one may not be the one that failed last.
  const last = attempts.findLast((attempt) => attempt.outcome === outcome) ?? attempts.at(-1)
  const answered = status >= 500 || grpcStatus === undefined ? `status ${status}` : grpcStatus
  const reason = outcome === 'ok' ? answered : outcome
  if (last !== undefined)
    return `${failed ? 'failed' : 'not completed'}: ${reason} after ${spoken(duration)}, backend ${last.backend.id}`
  return `not forwarded: ${reason}${error instanceof Error ? ` (${error.message})` : ''}`
}

/**
 * Writes the one line of an exchange, with every attempt. The README documents each field.
 * `withQuery`: the option `logQuery`.
 */
export function logExchange(exchange: ExchangeView, withQuery: boolean): void {
  const { outcome = 'ok', request, balancerName, startedAt, endedAt, error } = exchange
  const level = levelOf(outcome)
  if (!isWritten(request.log, level)) return
  const duration = endedAt - startedAt
  const attempts = exchange.attempts.map(attemptFields)
  request.log[level](
    {
      balancer: balancerName,
      outcome,
      ...(exchange.failed && { failed: true }),
      method: request.method,
      url: shownUrl(exchange.url, withQuery),
      status: exchange.status,
      ...(exchange.grpcStatus !== undefined && { grpcStatus: exchange.grpcStatus }),
      duration: round(duration),
      attempts,
      ...(exchange.tunnel !== undefined && { tunnel: tunnelFields(exchange.tunnel) }),
      ...(error instanceof Error && attempts.length === 0 && level !== 'error' && { error: error.message }),
      ...(level === 'error' && { err: error }),
    },
    messageOf(exchange, outcome, duration),
  )
}
