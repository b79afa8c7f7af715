/**
 * How long an answer holds at least and at most (ms), whatever its TTL: a TTL of 0 must not ask with every connection, and
 * one of a day must not hide a move. Below the 5 s at which Envoy asks by default and the 10 s of HAProxy's `hold valid`,
 * which both know no TTL; nginx keeps to the TTL unless `valid` says otherwise.
 */
const shortest = 1000
const longest = 60_000

/** How long an answer holds that has no TTL, of a file or the system (ms): Envoy's `dns_refresh_rate`. */
const withoutTtl = 5000

/** When what seems to have changed is asked again, and how often at most a name is asked beside its time (ms). */
export const sooner = 1000

/** How long addresses are kept of a name that, as is said again and again, does not exist any more (ms): HAProxy's `hold nx`. */
export const keptWithout = 30_000

/** The first and the longest pause after a failure (ms): at least the second of RFC 9520 §3.2, at most Envoy's 5 s. */
const firstPause = 1000
const longestPause = 5000

/** `lasts` as long as it says; `delay`: it is refreshed in the last fifth of that, at a time of chance, so that names do not move in step. */
export function refreshDelay(
  ttl: number | undefined,
  random: () => number,
): { readonly lasts: number; readonly delay: number } {
  const lasts = Math.min(Math.max(ttl ?? withoutTtl, shortest), longest)
  return { lasts, delay: lasts * (0.8 + 0.1 * random()) }
}

/** How long to wait after so many failures in a row: twice as long each time, and up to a tenth more by chance. */
export function failureDelay(failures: number, random: () => number): number {
  return Math.min(firstPause * 2 ** (failures - 1), longestPause) * (1 + 0.1 * random())
}
