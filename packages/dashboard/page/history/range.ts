/** How far back the page looks; the first one is live. */
export const ranges = ['5m', '15m', '1h', '6h', '24h'] as const
/** One of `ranges`. */
export type Range = (typeof ranges)[number]

interface RangeLook {
  /** In ms. */
  readonly span: number
  /** On its button. */
  readonly label: string
  /** In a sentence. */
  readonly words: string
}

const minute = 60_000
const hour = 60 * minute

/** What the ranges are, and how they are called. */
export const looks: Readonly<Record<Range, RangeLook>> = {
  '5m': { span: 5 * minute, label: '5 min', words: '5 minutes' },
  '15m': { span: 15 * minute, label: '15 min', words: '15 minutes' },
  '1h': { span: hour, label: '1 h', words: '1 hour' },
  '6h': { span: 6 * hour, label: '6 h', words: '6 hours' },
  '24h': { span: 24 * hour, label: '24 h', words: '24 hours' },
}

/** The range of this name; without one, the first. */
export function rangeNamed(name: string | undefined): Range {
  return ranges.find((range) => range === name) ?? ranges[0]
}

/** Its name in the page's address; the first one needs none. */
export function nameOf(range: Range): string | undefined {
  return range === ranges[0] ? undefined : range
}
