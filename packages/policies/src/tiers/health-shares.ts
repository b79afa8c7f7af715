/** How much of a tier is healthy, and how much there is of it, in the same unit: weight. */
export interface TierHealth {
  readonly healthy: number
  readonly total: number
}

/**
 * Which part of the traffic each tier gets, the preferred first; the parts add up to 1. Each takes as much as it is
 * healthy, times `overprovisioning`, and the rest goes on to the next: with 1.4, half a tier still takes 0.7. Where all
 * of them together cannot take everything, they share it in proportion. (Envoy, "priority levels": its factor is 1.4.)
 */
export function healthShares(tiers: readonly TierHealth[], overprovisioning: number): readonly number[] {
  const health = tiers.map(({ healthy, total }) =>
    total === 0 ? 0 : Math.min(1, (overprovisioning * healthy) / total),
  )
  const whole = Math.min(
    1,
    health.reduce((sum, one) => sum + one, 0),
  )
  let rest = 1
  return health.map((one) => {
    const share = whole === 0 ? 0 : Math.min(rest, one / whole)
    rest -= share
    return share
  })
}
