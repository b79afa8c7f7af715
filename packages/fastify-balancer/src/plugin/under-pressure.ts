import underPressurePlugin from '@fastify/under-pressure'
import { canBeOff, faultsOf, strict, withDefaults } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ShedRequests } from './shedding.ts'
import type { UnderPressureOptions as Options } from './under-pressure.generated.ts'

const limit = (description: string, byDefault: number) =>
  canBeOff(Type.Number({ minimum: 0, default: byDefault, description: `${description}; 0 = no limit` }), 0)

/** Options for @fastify/under-pressure. */
export const UnderPressureOptions = Type.Object(
  {
    maxEventLoopDelay: limit('Requests get 503 while the event loop delay is above this (ms)', 1000),
    maxEventLoopUtilization: limit('Likewise while the event loop utilization is above this (0–1)', 0),
    maxHeapUsedBytes: limit('Likewise while the used heap is larger (bytes)', 0),
    maxRssBytes: limit('Likewise while the resident memory (RSS) is larger (bytes)', 0),
    sampleInterval: Type.Integer({ minimum: 10, default: 1000, description: 'How often these are measured (ms)' }),
    retryAfter: Type.Integer({ minimum: 1, default: 10, description: '`Retry-After` of those responses (s)' }),
  },
  strict,
)
/** What may be given; everything is optional. */
export type UnderPressureOptions = Options

/** Every fault of the options, one line each. */
export function faultsOfUnderPressure(given: UnderPressureOptions): readonly string[] {
  const options = withDefaults(UnderPressureOptions, given)
  const faults = [...faultsOf(UnderPressureOptions, options)]
  if (faults.length > 0) return faults
  const { maxEventLoopDelay, maxEventLoopUtilization, maxHeapUsedBytes, maxRssBytes } = options
  if (maxEventLoopUtilization > 1)
    faults.push(`maxEventLoopUtilization: expected a number from 0 to 1, got ${maxEventLoopUtilization}`)
  if (maxEventLoopDelay + maxEventLoopUtilization + maxHeapUsedBytes + maxRssBytes === 0)
    faults.push('maxEventLoopDelay: all limits are 0: set this or another one')
  return faults
}

/** Counts what an app sheds, or several apps of one process; it tells of that as of `app`, until that closes. */
export function shedRequestsOf(app: FastifyInstance, given: UnderPressureOptions): ShedRequests {
  const { maxEventLoopDelay, maxEventLoopUtilization, maxHeapUsedBytes, maxRssBytes } = withDefaults(
    UnderPressureOptions,
    given,
  )
  const shed = new ShedRequests(app, {
    eventLoopDelay: maxEventLoopDelay,
    eventLoopUtilization: maxEventLoopUtilization,
    heapUsedBytes: maxHeapUsedBytes,
    rssBytes: maxRssBytes,
  })
  app.addHook('onClose', async () => shed.stop())
  return shed
}

/**
 * While the process is overloaded, every route of the app answers 503 with `Retry-After` before anything else runs, except
 * admin routes, dashboard and metrics. `shed` counts them.
 */
export async function shedUnderPressure(
  app: FastifyInstance,
  given: UnderPressureOptions,
  shed = shedRequestsOf(app, given),
): Promise<void> {
  const options = withDefaults(UnderPressureOptions, given)
  const { retryAfter } = options
  // As of the plugin itself, which tells nobody how often it refuses.
  const refusal = Object.assign(new Error('Service Unavailable'), { code: 'FST_UNDER_PRESSURE', statusCode: 503 })
  await app.register(underPressurePlugin, {
    ...options,
    // The current utilization, not the average since the start.
    eventLoopUtilizationMode: 'interval',
    // What it returns is sent, whatever the type says.
    pressureHandler: (_request, reply, exceeded, value) => {
      shed.count(exceeded, value ?? 0)
      void reply.header('retry-after', retryAfter)
      return refusal as unknown as undefined
    },
  })
  app.decorate('balancerShedding', shed)
}
