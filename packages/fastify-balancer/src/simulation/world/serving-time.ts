import type { ServingOptions } from '../scenario/serving-options.ts'

/**
 * How much work a request is, as two numbers, each 0 ≤ x < 1: drawn once for each request, so that a heavy one is heavy at
 * every backend, and with every policy that is compared.
 */
export interface Work {
  readonly first: number
  readonly second: number
}

/** How long a request takes a free place of a server that runs at full speed, in ms. */
export type ServingTime = (work: Work) => number

const distributions: Readonly<Record<ServingOptions['distribution'], (options: ServingOptions) => ServingTime>> = {
  constant:
    ({ mean }) =>
    () =>
      mean,
  exponential:
    ({ mean }) =>
    ({ first }) =>
      -mean * Math.log(1 - first),
  lognormal({ mean, sigma }) {
    const mu = Math.log(mean) - sigma ** 2 / 2
    // Box and Muller's way to a normal distribution.
    return ({ first, second }) =>
      Math.exp(mu + sigma * Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second))
  },
  pareto({ mean, shape, range = Infinity }) {
    // The share of an unbounded distribution that lies within the range, and the least of those that have this mean.
    const part = 1 - range ** -shape
    const least = (((mean * (shape - 1)) / shape) * part) / (1 - range ** (1 - shape))
    return ({ first }) => least * (1 - first * part) ** (-1 / shape)
  },
}

/** The service times that options describe. */
export function servingTime(options: ServingOptions): ServingTime {
  return distributions[options.distribution](options)
}
