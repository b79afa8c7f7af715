/** When requests of an open loop come: independent of each other, or evenly. */
export type Arrivals = 'poisson' | 'constant'

/**
 * When each is due, in ms after the beginning, in order, whatever happens to the earlier ones. `rate`: requests a second;
 * `random` gives 0 ≤ x < 1.
 */
export function schedule(
  arrivals: Arrivals,
  { rate, seconds, random }: { readonly rate: number; readonly seconds: number; readonly random: () => number },
): readonly number[] {
  const dues: number[] = []
  const mean = 1000 / rate
  const gap = arrivals === 'constant' ? () => mean : () => -Math.log(1 - random()) * mean
  for (let due = gap(); due < seconds * 1000; due += gap()) dues.push(due)
  return dues
}
