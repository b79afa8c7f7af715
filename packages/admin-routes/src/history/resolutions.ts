/** Steps of one length (ms), and how many of them are kept. */
export interface Resolution {
  readonly step: number
  readonly count: number
}

const minute = 60_000

/** The finest first: 10 s for an hour, 1 min for 6 hours, 10 min for 3 days. */
export const resolutions = [
  { step: 10_000, count: 360 },
  { step: minute, count: 360 },
  { step: 10 * minute, count: 432 },
] as const satisfies readonly Resolution[]

/** Which resolution shows a range of time, and how many of its steps, the unfinished one included. */
export const ranges = {
  '5m': { resolution: 0, steps: 30 },
  '15m': { resolution: 0, steps: 90 },
  '1h': { resolution: 0, steps: 360 },
  '6h': { resolution: 1, steps: 360 },
  '24h': { resolution: 2, steps: 144 },
  '3d': { resolution: 2, steps: 432 },
} as const

/** How far back to look. */
export type Range = keyof typeof ranges
