import { signedInAt } from '../attempt/signed-in.ts'
import type { Attempt } from '../attempt/attempt.ts'
import type { Balancer, WaitingExchange } from '../balancer.ts'

/** An attempt at the backend where the client's connection is authenticated, else at the one that the policy picks. */
export function firstPick(balancer: Balancer, exchange: WaitingExchange): Attempt | 'saturated' | 'none' {
  const home = signedInAt(exchange.request.raw)
  if (home !== undefined && balancer.set.available.includes(home)) {
    const attempt = balancer.attemptAt(home, exchange)
    if (typeof attempt === 'object') return attempt
  }
  return balancer.pick(exchange)
}
