import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, LogController } from 'fastify'
import { exchangeOf } from '../exchange/closing/response-close.ts'
import { shownUrl } from '../log.ts'

type Serializer = (value: unknown) => unknown

/**
 * For the catch-all route: where Fastify itself logs a request, its URL is shown as in the balancer's own line. Wraps the
 * app's own serializer. A logger that is not pino has no serializers; then nothing changes.
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

type Scope = Record<symbol, LogController | undefined>

/** The key of Fastify's log controller; undefined in a Fastify that keeps it elsewhere. */
function controllerKey(scope: FastifyInstance): symbol | undefined {
  for (let level: object | null = scope; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const symbols = Object.getOwnPropertySymbols(level)
    const found = symbols.find(({ description }) => description === 'fastify.logController')
    if (found !== undefined) return found
  }
  return undefined
}

/** True for Fastify's own class. With a subclass, the app has decided itself what is logged for each request. */
function isFastifysOwn(controller: LogController): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(controller)) === Object.prototype
}

/** True if the balancer's line reports this error. */
function isLogged(error: unknown, { raw }: FastifyReply): boolean {
  const { outcome, error: own } = exchangeOf(raw) ?? {}
  if (outcome === undefined) return false
  return error === own || (error as { reason?: unknown } | undefined)?.reason === outcome
}

/**
 * One log line for each request of the catch-all route. Fastify would write "incoming request", "request completed" and,
 * for a failure, the error with its stack; the balancer's line has all of that. A request that one of the app's hooks
 * answers is not forwarded: it gets Fastify's "request completed", with `req` in it. `request.log` and the app's other
 * routes stay as they are.
 */
export function logOnce(scope: FastifyInstance): void {
  // Fastify has no public way to set this for one scope. A test pins it; where it is not found, Fastify's lines remain.
  const key = controllerKey(scope)
  const controllers = scope as unknown as Scope
  const before = key === undefined ? undefined : controllers[key]
  if (before === undefined || !isFastifysOwn(before)) return
  const own = Object.create(before) as LogController
  own.incomingRequest = () => {}
  own.requestCompleted = (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply) => {
    if (exchangeOf(reply.raw) !== undefined || before.isLogDisabled(request)) return
    const figures = { req: request, res: reply, responseTime: reply.elapsedTime }
    if (error) request.log.error({ ...figures, err: error }, 'request errored')
    else request.log.info(figures, 'request completed')
  }
  own.defaultErrorLog = (error: Error, request: FastifyRequest, reply: FastifyReply) => {
    if (!isLogged(error, reply)) before.defaultErrorLog(error, request, reply)
  }
  controllers[key!] = own
}
