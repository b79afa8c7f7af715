import { spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { Attempt, ExchangeView } from './attempt/attempt.ts'
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
    // When a drain aborts a request, undici's message says "client" and means the connection.
    ...(attempt.error instanceof Error && attempt.outcome !== 'drain-deadline' && { error: attempt.error.message }),
  }
}

function messageOf({ attempts, error }: ExchangeView, outcome: Outcome, duration: number): string {
  if (outcome === 'ok') return 'forwarded'
  const last = attempts.at(-1)
  if (last !== undefined) return `failed: ${outcome} after ${spoken(duration)}, backend ${last.backend.id}`
  return `not forwarded: ${outcome}${error instanceof Error ? ` (${error.message})` : ''}`
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
      method: request.method,
      url: shownUrl(exchange.url, withQuery),
      status: exchange.status,
      ...(exchange.grpcStatus !== undefined && { grpcStatus: exchange.grpcStatus }),
      duration: round(duration),
      attempts,
      ...(error instanceof Error && attempts.length === 0 && level !== 'error' && { error: error.message }),
      ...(level === 'error' && { err: error }),
    },
    messageOf(exchange, outcome, duration),
  )
}
