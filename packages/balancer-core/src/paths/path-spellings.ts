/** How often a path may be percent-encoded over itself. Nothing honest comes near; more is refused unread. */
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

/** What the app's router has before it when it matches a path: escapes of what is not reserved are decoded, and bytes are characters. */
export function asRouted(path: string): string {
  if (!path.includes('%')) return path
  return path.replaceAll(/%[\da-f]{2}/gi, (escape) => {
    const byte = String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
    return reserved.includes(byte) ? escape : byte
  })
}

/** Takes off one layer of percent-encoding; each byte becomes one character. */
function decode(path: string, keepSlashes: boolean): string {
  if (!/[%\u00c0\u00c1\u00e0\u00f0]/.test(path)) return path
  const bytes = path.replaceAll(escapes, (escape, hex: string) => {
    const byte = String.fromCodePoint(Number.parseInt(hex, 16))
    return keepSlashes && (byte === '/' || byte === '\\') ? escape : byte
  })
  return bytes.replaceAll(overlong, shortest)
}

/** The path with none, one, two … layers of encoding taken off; undefined where there are too many. */
function layersOf(path: string): readonly string[] | undefined {
  const layers = [path]
  for (let next = decode(path, false); next !== layers.at(-1); next = decode(next, false)) {
    if (layers.length > mostLayers) return undefined
    layers.push(next)
  }
  return layers
}

/**
 * A segment that says `.` or `..`, whatever stands behind it that a server may drop: path parameters (`..;x`), what
 * follows NUL, `?` or `#`; or beside it: blanks and controls.
 */
const dotSegment =
  // oxlint-disable-next-line no-control-regex
  /(?:^|[/\\])[\u0000-\u0020\u007f]*\.[\u0000-\u0020\u007f]*(?:\.[\u0000-\u0020\u007f]*)?(?:[/\\;?#\u0000]|$)/

/** Has it a dot segment, in whatever encoding, or more layers of encoding than can be looked through? */
export function hasDotSegments(path: string): boolean {
  if (!path.includes('%')) return dotSegment.test(path)
  const layers = layersOf(path)
  return layers === undefined || layers.some((layer) => dotSegment.test(layer))
}

const mergeSlashes = (path: string) => path.replaceAll(/\/{2,}/g, '/')

const withoutParameters = (path: string) => path.replaceAll(/;[^/]*/g, '')

/** What servers do to a path that they have decoded, each of them or none: one may do the first and not the second. */
const readings: readonly ((path: string) => string)[] = [
  // Parameters go before backslashes count, or after: `/exact;a\x`.
  withoutParameters,
  (path) => path.replaceAll('\\', '/'),
  withoutParameters,
  // oxlint-disable-next-line no-control-regex
  (path) => path.replace(/[\u0000?#].*$/s, ''),
  // Windows drops dots and blanks at the end of a name.
  (path) => path.replaceAll(/(?<![. ])[. ]+(?=\/|$)/g, ''),
  mergeSlashes,
]

/** What the app's router overlooks. */
export interface RouterHabits {
  /** Slashes that are repeated. */
  readonly mergesSlashes: boolean
  /** What follows a semicolon: to it, that is the query. */
  readonly cutsAtSemicolon: boolean
}

/**
 * Everything that a path without dot segments may mean to a server: as the router reads it, with each further layer of
 * encoding taken off, with or without its encoded slashes, and read in each of the ways above. Letter case and a slash at
 * the end are left as they are. At most 32 for each of 9 decodings; most paths have one or two.
 */
export function spellingsOf(path: string, { mergesSlashes, cutsAtSemicolon }: RouterHabits): ReadonlySet<string> {
  let spellings = new Set<string>()
  for (const layer of layersOf(asRouted(path)) ?? []) for (const one of [layer, decode(layer, true)]) spellings.add(one)
  // What is added is read in its turn, and is the same then.
  for (const read of readings) for (const one of spellings) spellings.add(read(one))
  // What the app says is one is one.
  if (cutsAtSemicolon) spellings = new Set([...spellings].map((one) => one.replace(/;.*$/s, '')))
  return mergesSlashes ? new Set([...spellings].map(mergeSlashes)) : spellings
}
