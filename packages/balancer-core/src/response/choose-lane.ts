import type { FastifyReply, FastifyRequest } from 'fastify'
import { fullLane } from './full-lane.ts'
import type { Lane } from './response-lane.ts'
import { rawLane } from './raw-lane.ts'

/** Whether an onSend hook applies to the route of this request; undefined if that cannot be seen. */
function hasOnSend(request: FastifyRequest): boolean | undefined {
  // Fastify has no public way to ask. This looks at the route's context, and a test pins it for each Fastify version;
  // if it is not found, the full lane is used, which is always correct.
  const symbol = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'fastify.context')
  if (symbol === undefined) return undefined
  const context = (request as unknown as Record<symbol, { onSend?: unknown } | undefined>)[symbol]
  if (context?.onSend === null) return false
  return Array.isArray(context?.onSend) ? context.onSend.length > 0 : undefined
}

const chosen = new WeakMap<object, Lane>()

/** The lane of a route, by the option: chosen at its first request, since hooks may be added until the app is ready. */
export function laneOf(lane: 'auto' | 'raw' | 'full', { request }: FastifyReply): Lane {
  if (lane === 'raw') return rawLane
  if (lane === 'full') return fullLane
  const route = request.routeOptions.config as object
  let known = chosen.get(route)
  if (known === undefined) chosen.set(route, (known = hasOnSend(request) === false ? rawLane : fullLane))
  return known
}
