/** How many layers of percent-encoding are checked. No legitimate path has as many; paths with more are refused. */
const mostLayers = 4

const escapes = /%(?:u00)?([\da-f]{2})/gi
/** Overlong UTF-8 for ASCII, which old decoders accept (RFC 3629 §10): `%c0%ae` is a dot to them. */
const overlong =
  /[\u00c0\u00c1][\u0080-\u00bf]|\u00e0[\u0080\u0081][\u0080-\u00bf]|\u00f0\u0080[\u0080\u0081][\u0080-\u00bf]/g

function shortest(sequence: string): string {
  const high = sequence.charCodeAt(sequence.length - 2) & 1
  return String.fromCodePoint((high << 6) | (sequence.charCodeAt(sequence.length - 1) & 0x3f))
}

/** The path alone. */
export function withoutQuery(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

const reserved = '#$%&+,/:;=?@'

/**
 * The path as the app's router matches it: escapes of unreserved characters are decoded; each byte is one character.
 */
export function asRouted(path: string): string {
  if (!path.includes('%')) return path
  return path.replaceAll(/%[\da-f]{2}/gi, (escape) => {
    const byte = String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
    return reserved.includes(byte) ? escape : byte
  })
}

/** Removes one layer of percent-encoding; each byte becomes one character. */
function decode(path: string, keepSlashes: boolean): string {
  if (!/[%\u00c0\u00c1\u00e0\u00f0]/.test(path)) return path
  const bytes = path.replaceAll(escapes, (escape, hex: string) => {
    const byte = String.fromCodePoint(Number.parseInt(hex, 16))
    return keepSlashes && (byte === '/' || byte === '\\') ? escape : byte
  })
  return bytes.replaceAll(overlong, shortest)
}

/** The path with 0, 1, 2 … layers of encoding removed; undefined if there are too many. */
function layersOf(path: string): readonly string[] | undefined {
  const layers = [path]
  for (let next = decode(path, false); next !== layers.at(-1); next = decode(next, false)) {
    if (layers.length > mostLayers) return undefined
    layers.push(next)
  }
  return layers
}

/**
 * A segment that means `.` or `..`, including what a server may drop after it: path parameters (`..;x`), anything after
 * NUL, `?` or `#`; or next to it: blanks and control characters.
 */
const dotSegment =
  // oxlint-disable-next-line no-control-regex
  /(?:^|[/\\])[\u0000-\u0020\u007f]*\.[\u0000-\u0020\u007f]*(?:\.[\u0000-\u0020\u007f]*)?(?:[/\\;?#\u0000]|$)/

/** Does it have a dot segment, in any encoding, or too many layers of encoding? */
export function hasDotSegments(path: string): boolean {
  if (!path.includes('%')) return dotSegment.test(path)
  const layers = layersOf(path)
  return layers === undefined || layers.some((layer) => dotSegment.test(layer))
}

const mergeSlashes = (path: string) => path.replaceAll(/\/{2,}/g, '/')

const withoutParameters = (path: string) => path.replaceAll(/;[^/]*/g, '')

/** What servers may do to a decoded path; a server may do any combination of these. */
const readings: readonly ((path: string) => string)[] = [
  // Parameters go before backslashes count, or after: `/exact;a\x`.
  withoutParameters,
  (path) => path.replaceAll('\\', '/'),
  withoutParameters,
  // oxlint-disable-next-line no-control-regex
  (path) => path.replace(/[\u0000?#].*$/s, ''),
  // Windows drops trailing dots and blanks of a name.
  (path) => path.replaceAll(/(?<![. ])[. ]+(?=\/|$)/g, ''),
  mergeSlashes,
]

/** What the app's router ignores. */
export interface RouterHabits {
  /** Repeated slashes. */
  readonly mergesSlashes: boolean
  /** Anything after a semicolon, which it takes for the query. */
  readonly cutsAtSemicolon: boolean
}

/**
 * Everything that a path without dot segments may mean to a server: as the router reads it, with each further layer of
 * encoding removed, with or without its encoded slashes, and read in each of the ways above. Letter case and a trailing
 * slash stay as they are. At most 32 for each of 9 decodings; most paths have one or two.
 */
export function spellingsOf(path: string, { mergesSlashes, cutsAtSemicolon }: RouterHabits): ReadonlySet<string> {
  let spellings = new Set<string>()
  for (const layer of layersOf(asRouted(path)) ?? []) for (const one of [layer, decode(layer, true)]) spellings.add(one)
  // Added readings are processed in the same way.
  for (const read of readings) for (const one of spellings) spellings.add(read(one))
  // With Fastify's `useSemicolonDelimiter` a semicolon begins the query.
  if (cutsAtSemicolon) spellings = new Set([...spellings].map((one) => one.replace(/;.*$/s, '')))
  return mergesSlashes ? new Set([...spellings].map(mergeSlashes)) : spellings
}
