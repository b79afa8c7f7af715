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

/** The part of a value that may be shown. */
function shown(value: unknown, isHidden: boolean): unknown {
  if (value === undefined || typeof value === 'boolean' || value === null) return value
  if (isHidden) return '(hidden)'
  if (typeof value === 'function') return '(code)'
  if (Array.isArray(value)) return value.map((part) => shown(part, false))
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shown(part, false)]))
  return typeof value === 'object' ? '(code)' : value
}

/**
 * Every option of `after` that differs from `before`, in the order of `after`. Objects are compared part by part, other
 * values as a whole. `hidden` lists options whose values, with everything below them, may be secrets.
 */
export function optionChanges(before: unknown, after: unknown, hidden: readonly string[] = []): OptionChange[] {
  const changes: OptionChange[] = []
  function compare(from: unknown, to: unknown, option: string, isHidden: boolean): void {
    if (isDeepStrictEqual(from, to)) return
    if (!isPlain(from ?? {}) || !isPlain(to ?? {})) {
      changes.push({ option, from: shown(from, isHidden), to: shown(to, isHidden) })
      return
    }
    const [old, now] = [(from ?? {}) as Record<string, unknown>, (to ?? {}) as Record<string, unknown>]
    for (const key of new Set([...Object.keys(now), ...Object.keys(old)])) {
      const place = option === '' ? key : `${option}.${key}`
      compare(old[key], now[key], place, isHidden || hidden.includes(place))
    }
  }
  compare(before, after, '', false)
  return changes
}
