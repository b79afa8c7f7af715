/**
 * Shortest and longest validity of an answer (ms): a TTL of 0 must not cause a look-up with every connection, and one
 * of a day must not hide a move. (Envoy asks every 5 s by default, HAProxy's `hold valid` is 10 s, both without regard
 * to the TTL; nginx uses the TTL unless `valid` is set.)
 */
const shortest = 1000
const longest = 60_000

/** Validity of an answer without a TTL, from a file or the system (ms): Envoy's `dns_refresh_rate`. */
const withoutTtl = 5000

/** When a changed answer is verified, and the shortest time between look-ups outside the schedule (ms). */
export const sooner = 1000

/** How long to keep the addresses of a name that, by all answers, no longer exists (ms): HAProxy's `hold nx`. */
export const keptWithout = 30_000

/** The first and the longest pause after a failure (ms): at least the second of RFC 9520 §3.2, at most Envoy's 5 s. */
const firstPause = 1000
const longestPause = 5000

/**
 * `lasts`: validity; `delay`: the refresh, at a random time in the last fifth of that, so that names are not refreshed
 * in step.
 */
export function refreshDelay(
  ttl: number | undefined,
  random: () => number,
): { readonly lasts: number; readonly delay: number } {
  const lasts = Math.min(Math.max(ttl ?? withoutTtl, shortest), longest)
  return { lasts, delay: lasts * (0.8 + 0.1 * random()) }
}

/** How long to wait after this many failures in a row: twice as long each time, plus up to a tenth at random. */
export function failureDelay(failures: number, random: () => number): number {
  return Math.min(firstPause * 2 ** (failures - 1), longestPause) * (1 + 0.1 * random())
}
