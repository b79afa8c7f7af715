/** Upper bound of the first bucket (ms). */
const least = 0.1
/** Buckets for each doubling of a duration: a percentile is off by at most 4.4 % (half the width of a bucket). */
const perDoubling = 8
const doublings = 23

/** How many buckets a histogram has: up to 0.1 ms, and from there to 14 minutes. */
export const bucketCount = 1 + doublings * perDoubling

/** The bucket of a duration (ms); what is longer than 14 minutes belongs to the last one. */
export function bucketOf(duration: number): number {
  if (duration <= least) return 0
  return Math.min(Math.ceil(Math.log2(duration / least) * perDoubling), bucketCount - 1)
}

/** The duration for which a bucket stands, in µs: its relative distance to both bounds is the same. */
function middleOf(bucket: number): number {
  const upper = least * 1000 * 2 ** (bucket / perDoubling)
  const lower = bucket === 0 ? upper : upper / 2 ** (1 / perDoubling)
  return Math.round((2 * lower * upper) / (lower + upper))
}

/** The percentile by nearest rank, in µs; 0 if nothing was counted. `share` from 0 to 1. */
export function percentile(counts: Uint32Array, share: number): number {
  let total = 0
  for (const count of counts) total += count
  if (total === 0) return 0
  let left = Math.max(1, Math.ceil(share * total))
  let bucket = 0
  while ((left -= counts[bucket]!) > 0) bucket++
  return middleOf(bucket)
}
