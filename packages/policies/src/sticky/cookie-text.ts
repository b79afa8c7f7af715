/** The pairs of a `Cookie` field, without the spaces around them. */
function pairsOf(text: string): readonly string[] {
  return text.split(';').map((pair) => pair.trim())
}

/** Is this `name=value` of that name? Names are compared as they are written (RFC 6265 §5.3). */
export function isCookie(pair: string, name: string): boolean {
  return pair.startsWith(name) && pair.slice(name.length).trimStart().startsWith('=')
}

/** All values of the cookies of that name, in their order. */
export function cookieValues(text: string, name: string): readonly string[] {
  // Most requests have other cookies, or none.
  if (!text.includes(name)) return []
  return pairsOf(text)
    .filter((pair) => isCookie(pair, name))
    .map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
}

/** A `Cookie` field without the cookies of that name; undefined if nothing is left. */
export function withoutCookie(text: string, name: string): string | undefined {
  const others = pairsOf(text).filter((pair) => pair !== '' && !isCookie(pair, name))
  return others.length === 0 ? undefined : others.join('; ')
}
