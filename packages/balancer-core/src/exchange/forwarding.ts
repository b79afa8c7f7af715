import type { Balancer } from '../balancer.ts'
import type { ParsedOptions } from '../options.ts'

/** How one route forwards: worked out when the route is made, not for each request. */
export interface Forwarding {
  readonly balancer: Balancer
  readonly lane: ParsedOptions['lane']
  readonly rewrite: ParsedOptions['rewrite']
  /** How many path segments the prefix has that are to be taken off. */
  readonly segments: number
  /** The path must stay below a prefix, so it may not climb. */
  readonly confined: boolean
}

/** How the catch-all route of a balancer forwards, given the whole prefix that it stands under. */
export function forwardingOf(balancer: Balancer, prefix: string): Forwarding {
  const { lane, rewrite } = balancer.options
  const segments = prefix.split('/').filter((segment) => segment !== '').length
  return { balancer, lane, rewrite, segments: rewrite.stripPrefix ? segments : 0, confined: segments > 0 }
}
