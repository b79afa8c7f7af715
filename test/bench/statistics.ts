/** Several measurements of one thing. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws RangeError when there are none */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('There is nothing to take the median of')
  const sorted = [...values].sort((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
  return { median: tidy(median), min: tidy(sorted[0]!), max: tidy(sorted.at(-1)!) }
}

/** The smallest value that so large a share of all does not exceed (nearest rank). @throws RangeError when there are none */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('There is nothing to take a percentile of')
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)]!
}

/** The slope of the straight line that fits best (least squares): how much `values` rise from one to the next. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let covariance = 0
  let variance = 0
  for (const [index, value] of values.entries()) {
    covariance += (index - middle) * (value - mean)
    variance += (index - middle) ** 2
  }
  return variance === 0 ? 0 : covariance / variance
}

/** Five digits say more than a measurement knows. */
function tidy(value: number): number {
  return Number(value.toPrecision(5))
}
