import type { Attempt } from '@fastify-balancer/balancer-core'

const noPause = /^\s*0+\s*$/

/**
 * A backend that has too much to do, and says when to come back (RFC 9110 §15.6.4), is not broken: opening its circuit
 * would only shift the load to the others, until theirs open too. One that says to come back at once (`retry-after: 0`,
 * as error pages do that nobody has thought about) asks for no pause, and has failed.
 */
export function isPressure({ status, headers }: Attempt): boolean {
  if (status !== 503) return false
  const given = headers['retry-after']
  // Of several fields the first is taken.
  const hint = typeof given === 'object' ? given[0] : given
  return hint !== undefined && !noPause.test(String(hint))
}
