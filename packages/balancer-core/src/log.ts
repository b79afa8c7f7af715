import type { FastifyBaseLogger } from 'fastify'
import type { ExchangeView } from './attempt/attempt.ts'
import type { BackendSet } from './backends/backend-set.ts'
import { failures } from './failure.ts'

type Level = 'info' | 'warn'

function isWritten(log: FastifyBaseLogger, level: Level): boolean {
  const { isLevelEnabled } = log as { isLevelEnabled?: (level: string) => boolean }
  // Fastify's null logger has one empty function for all levels.
  return isLevelEnabled === undefined ? log.info !== log.error : isLevelEnabled.call(log, level)
}

const round = (duration: number) => Math.round(duration * 100) / 100

/** The name and password before a host, in a target in absolute form. */
const credentials = /^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i

/** What of a request target is logged: a query may hold what signs somebody in, so it is left out unless it is asked for. */
function shownUrl(target: string, withQuery: boolean): string {
  const url = target.startsWith('/') ? target : target.replace(credentials, '$1')
  const end = withQuery ? -1 : url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

type Serializer = (value: unknown) => unknown

/**
 * For routes of ours: what Fastify itself logs of a request (`incoming request`) has its URL as our own line has it. It
 * changes what the app's own serializer makes of a request; nothing, for a logger that is not pino, which has none.
 */
export function requestSerializers(log: FastifyBaseLogger, withQuery: () => boolean): { req?: Serializer } {
  // As `pino.symbols` has it.
  const { [Symbol.for('pino.serializers')]: own } = log as unknown as {
    [symbol: symbol]: { req?: Serializer } | undefined
  }
  const before = own?.req
  if (before === undefined) return {}
  return {
    req(request) {
      const shown = before(request)
      const { url } = (shown ?? {}) as { url?: unknown }
      return typeof url === 'string' ? { ...(shown as object), url: shownUrl(url, withQuery()) } : shown
    },
  }
}

/**
 * Writes the one line of an exchange, with every attempt: which backend, how it ended, what took how long (ms).
 * `withQuery`: the option `logQuery`.
 */
export function logExchange(exchange: ExchangeView, withQuery: boolean): void {
  const { outcome = 'ok', request, balancerName, startedAt, endedAt, error } = exchange
  const level = outcome !== 'ok' && failures[outcome].blame !== 'client' ? 'warn' : 'info'
  if (!isWritten(request.log, level)) return
  const attempts = exchange.attempts.map((attempt) => ({
    backend: attempt.backend.id,
    outcome: attempt.outcome ?? 'pending',
    ...(attempt.status !== 0 && { status: attempt.status }),
    ...(attempt.started && { connected: round(attempt.sentAt - attempt.startedAt) }),
    ...(attempt.status !== 0 && { responded: round(attempt.respondedAt - attempt.startedAt) }),
    ...(attempt.outcome !== undefined && { ended: round(attempt.endedAt - attempt.startedAt) }),
    ...(attempt.reused && { reused: true }),
    ...(attempt.lastResort && { lastResort: true }),
    // Of a drain, undici says that a client was destroyed, and means the connections.
    ...(attempt.error instanceof Error && attempt.outcome !== 'drain-deadline' && { error: attempt.error.message }),
  }))
  request.log[level](
    {
      balancer: balancerName,
      outcome,
      method: request.method,
      url: shownUrl(exchange.url, withQuery),
      status: exchange.status,
      duration: round(endedAt - startedAt),
      attempts,
      ...(error instanceof Error && attempts.length === 0 && { error: error.message }),
    },
    outcome === 'ok' ? 'forwarded' : `${attempts.length === 0 ? 'not forwarded' : 'failed'}: ${outcome}`,
  )
}

/** Tells that panic has begun, or is over. */
export function logPanic(
  log: FastifyBaseLogger | undefined,
  balancer: string,
  { panicking, all, available }: BackendSet,
): void {
  const figures = { balancer, backends: all.length, available: available.length }
  if (panicking) log?.warn(figures, 'panic began: too few healthy backends, so health is ignored and all are tried')
  else log?.info(figures, 'panic ended: unhealthy backends are left alone again')
}
