import { rangeIn, withRange, type Range } from './range.ts'

/** The range in the page's address. */
export function rememberedRange(): Range {
  return rangeIn(location.hash)
}

/** Puts a range into the page's address, so that a reload or a link shows the same. */
export function rememberRange(range: Range): void {
  const { pathname, search, hash } = location
  history.replaceState(history.state, '', `${pathname}${search}${withRange(hash, range)}`)
}
