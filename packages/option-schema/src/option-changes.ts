import { isDeepStrictEqual } from 'node:util'

/** An option that differs, or would differ, from before. */
export interface OptionChange {
  /** Its place, e.g. `timeouts.headers`. */
  readonly option: string
  /** Plain data. Possible secrets are `(hidden)`, functions `(code)`; undefined if there is none. */
  readonly from: unknown
  readonly to: unknown
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Is that place one of those: by its path, or as `*.name` by its name alone? */
function isListed(place: string, listed: readonly string[]): boolean {
  return listed.some((one) => (one.startsWith('*.') ? place.endsWith(one.slice(1)) : one === place))
}

/** The part of a value at this place that may be shown. */
function shown(value: unknown, place: string, isHidden: boolean, hidden: readonly string[]): unknown {
  if (value === undefined || typeof value === 'boolean' || value === null) return value
  if (isHidden) return '(hidden)'
  if (typeof value === 'function') return '(code)'
  const part = (one: unknown, at: string) => shown(one, at, isListed(at, hidden), hidden)
  if (Array.isArray(value)) return value.map((one, index) => part(one, `${place}.${index}`))
  if (isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, part(one, `${place}.${key}`)]))
  return typeof value === 'object' ? '(code)' : value
}

/**
 * Every option of `after` that differs from `before`, in the order of `after`. Objects are compared part by part, other
 * values as a whole. `hidden` lists options whose values, with everything below them, may be secrets: `pool.tls`, or
 * `*.secret` for all of that name.
 */
export function optionChanges(before: unknown, after: unknown, hidden: readonly string[] = []): OptionChange[] {
  const changes: OptionChange[] = []
  function compare(from: unknown, to: unknown, option: string, isHidden: boolean): void {
    if (isDeepStrictEqual(from, to)) return
    if (!isPlain(from ?? {}) || !isPlain(to ?? {})) {
      const part = (value: unknown) => shown(value, option, isHidden, hidden)
      changes.push({ option, from: part(from), to: part(to) })
      return
    }
    const [old, now] = [(from ?? {}) as Record<string, unknown>, (to ?? {}) as Record<string, unknown>]
    for (const key of new Set([...Object.keys(now), ...Object.keys(old)])) {
      const place = option === '' ? key : `${option}.${key}`
      compare(old[key], now[key], place, isHidden || isListed(place, hidden))
    }
  }
  compare(before, after, '', false)
  return changes
}
