/** What a share of successes was held against. */
export interface SuccessRateLimit {
  readonly mean: number
  /** The standard deviation of all shares, taken as the whole population. */
  readonly sigma: number
  /** A share below this is an outlier. */
  readonly limit: number
}

/**
 * Mean − `stdev` · σ of the shares of success (0 to 1) of all backends: Envoy's and gRPC A50's rule. With n backends a
 * single one that always fails lies √(n − 1) deviations below the mean, so that 1.9 needs at least five of them.
 */
export function successRateLimit(shares: readonly number[], stdev: number): SuccessRateLimit {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
  const sigma = Math.sqrt(variance)
  return { mean, sigma, limit: mean - stdev * sigma }
}

/** Those of `shares` that lie below the limit, by index, the lowest first. */
export function lowShares(shares: readonly number[], { limit }: SuccessRateLimit): number[] {
  // Equal shares may differ from their mean in the last bit.
  const low = [...shares.keys()].filter((index) => shares[index]! < limit - 1e-9)
  return low.sort((a, b) => shares[a]! - shares[b]!)
}
