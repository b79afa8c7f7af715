/** The limit for a success rate. */
export interface SuccessRateLimit {
  readonly mean: number
  /** Standard deviation of all rates (of the whole population). */
  readonly sigma: number
  /** A rate below this is an outlier. */
  readonly limit: number
}

/**
 * Mean − `stdev` · σ of the success rates (0 to 1) of all backends: Envoy's and gRPC A50's rule. Among n backends, a
 * single one that always fails is √(n − 1) deviations below the mean, so 1.9 needs at least five backends.
 */
export function successRateLimit(shares: readonly number[], stdev: number): SuccessRateLimit {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
  const sigma = Math.sqrt(variance)
  return { mean, sigma, limit: mean - stdev * sigma }
}

/** Indexes of the `shares` below the limit, the lowest first. */
export function lowShares(shares: readonly number[], { limit }: SuccessRateLimit): number[] {
  // Equal rates may differ from their mean in the last bit.
  const low = [...shares.keys()].filter((index) => shares[index]! < limit - 1e-9)
  return low.sort((a, b) => shares[a]! - shares[b]!)
}
