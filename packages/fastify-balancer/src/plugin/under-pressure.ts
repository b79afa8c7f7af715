import underPressurePlugin from '@fastify/under-pressure'
import { canBeOff, faultsOf, strict, withDefaults } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { UnderPressureOptions as Options } from './under-pressure.generated.ts'

const limit = (description: string, byDefault: number) =>
  canBeOff(Type.Number({ minimum: 0, default: byDefault, description: `${description}; 0 = no limit` }), 0)

/** What is handed to @fastify/under-pressure. */
export const UnderPressureOptions = Type.Object(
  {
    maxEventLoopDelay: limit('Shed requests while the event loop is late by more (ms)', 1000),
    maxEventLoopUtilization: limit('While it is busy for a larger part of the time (0–1)', 0),
    maxHeapUsedBytes: limit('While the heap is larger (bytes)', 0),
    maxRssBytes: limit('While the process is larger (bytes)', 0),
    sampleInterval: Type.Integer({ minimum: 10, default: 1000, description: 'How often it is measured (ms)' }),
    retryAfter: Type.Integer({ minimum: 1, default: 10, description: '`retry-after` of what is shed (s)' }),
  },
  strict,
)
/** What may be given: everything optional. */
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
    faults.push('maxEventLoopDelay: expected a limit, this or another: all of them are 0')
  return faults
}

/**
 * While the process is overloaded, every route of the app answers 503 with `retry-after` before anything else is done;
 * the admin routes go on, for whoever has to help.
 */
export async function shedUnderPressure(app: FastifyInstance, given: UnderPressureOptions): Promise<void> {
  const options = withDefaults(UnderPressureOptions, given)
  // As it is now, not on the average since the start.
  await app.register(underPressurePlugin, { ...options, eventLoopUtilizationMode: 'interval' })
}
