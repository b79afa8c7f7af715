import type { FastifyReply, FastifyRequest } from 'fastify'
import { takenOf, upgradeOf } from '../request/upgrade-request.ts'
import type { Lane } from '../response/response-lane.ts'
import { Exchange } from './exchange.ts'
import type { Forwarding } from './forwarding.ts'
import { UpgradeExchange } from './upgrade-exchange.ts'

/** The exchange of a request: it may switch protocols where the balancer allows one that the client asks for. */
export function exchangeFor(
  request: FastifyRequest,
  reply: FastifyReply,
  forwarding: Forwarding,
  lane: Lane,
): Exchange {
  const asked = upgradeOf(request.raw)
  if (asked === undefined) return new Exchange(request, reply, forwarding, lane)
  const protocols = takenOf(forwarding.options.upgrade, asked.protocols)
  return protocols.length === 0
    ? new Exchange(request, reply, forwarding, lane)
    : new UpgradeExchange(request, reply, forwarding, lane, protocols)
}
