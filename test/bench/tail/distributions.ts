/** How much work a request is, as a multiple of its server's mean. Each has a mean of 1. */
export type Distribution = 'exponential' | 'pareto'

/** Random numbers 0 ≤ x < 1 that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The fewer, the larger: below 2, the variance of an unbounded one is infinite. */
const shape = 1.5
/** The largest as a multiple of the smallest: without an end, one request could outlast the run. */
const range = 1000
/** So that the mean is 1: that of a bounded Pareto distribution, solved for its smallest value. */
const smallest = (((shape - 1) / shape) * (1 - range ** -shape)) / (1 - range ** (1 - shape))

/** Draws sizes of requests from random numbers 0 ≤ x < 1. */
export function drawing(distribution: Distribution, random: () => number): () => number {
  if (distribution === 'exponential') return () => -Math.log(1 - random())
  return () => smallest * (1 - random() * (1 - range ** -shape)) ** (-1 / shape)
}
