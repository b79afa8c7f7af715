const milliseconds: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** What a timer can hold, in ms. */
const longestTimer = 2_147_483_647

/**
 * A length of time such as `1m30s` in milliseconds, rounded up; a number without a unit has `unit`. Undefined if it is
 * none, or longer than `most`.
 */
export function durationOf(text: string, unit: 'ms' | 's', most = longestTimer): number | undefined {
  if (!/^(?:\d+(?:us|ms|[smhdw])?\s*)+$/.test(text)) return undefined
  let sum = 0
  for (const [, count, given] of text.matchAll(/(\d+)(us|ms|[smhdw])?/g)) {
    sum += Number(count) * milliseconds[given ?? unit]!
  }
  return Number.isSafeInteger(Math.ceil(sum)) && sum <= most ? Math.ceil(sum) : undefined
}
