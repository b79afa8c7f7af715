/** A segment of the prefix that backends get: text, or the place of a parameter in the route's prefix. */
type Part = string | number

/** A parameter that is a segment of its own; find-my-way allows a pattern behind its name. */
const parameter = /^:(\w+)(?:\([^/]*\))?$/

/**
 * What a backend may read as the end of the segment, as several of them, or as another text: also by decoding it again, by
 * taking overlong UTF-8 (RFC 3629 §10), or by leaving out dots and blanks at its ends. Each byte is one character.
 */
// oxlint-disable-next-line no-control-regex
const unclear = /[\u0000-\u001f\u007f/\\%?#;\u00c0\u00c1]|\u00e0[\u0080-\u009f]|\u00f0[\u0080-\u008f]|^ |[ .]$/

function isUnclear(segment: string): boolean {
  return unclear.test(
    segment.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))),
  )
}

function segmentsOf(prefix: string): string[] {
  return prefix.split('/').filter((segment) => segment !== '')
}

function nameOf(segment: string): string | undefined {
  return parameter.exec(segment)?.[1]
}

/** Where the first `count` segments of a path end: the router has matched them, in any encoding and with repeated slashes. -1 if there are fewer. */
function endOf(path: string, count: number): number {
  const query = path.indexOf('?')
  const end = query === -1 ? path.length : query
  let position = 0
  for (let taken = 0; taken < count; taken++) {
    while (path[position] === '/') position++
    if (position >= end) return -1
    const slash = path.indexOf('/', position)
    position = slash === -1 || slash > end ? end : slash
  }
  return position
}

/** As the router decodes a parameter; text that it cannot decode is passed on as it is. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** What is wrong with a prefix that is to take the place of a route's. */
export function replacementFault(prefix: string, replacement: string): string | undefined {
  const known = new Set(segmentsOf(prefix).map(nameOf))
  for (const segment of segmentsOf(replacement)) {
    if (!segment.includes(':')) continue
    const name = nameOf(segment)
    if (name === undefined) return `'${segment}' must be a parameter alone, such as ':tenant'`
    if (!known.has(name)) return `'${segment}' is no parameter of \`prefix\` that is a whole segment`
  }
  return undefined
}

/** The prefixes of one request, neither with a slash at its end. */
interface Prefixes {
  /** The client's. */
  readonly outer: string
  /** The backend's. */
  readonly inner: string
}

/** Another prefix in the paths that backends get, in place of that of the route. */
export class PrefixChange {
  readonly #count: number
  readonly #parts: readonly Part[]
  /** Without parameters, the same for all requests. */
  readonly #fixed: string | undefined
  /** The parameters of the route's prefix, by the index of their segment. */
  readonly #parameters: readonly (readonly [index: number, name: string])[]

  /** `prefix` is the route's, with those of all scopes around it. */
  constructor(prefix: string, replacement: string) {
    const names = segmentsOf(prefix).map(nameOf)
    this.#count = names.length
    this.#parts = segmentsOf(replacement).map((part) =>
      nameOf(part) === undefined ? part : names.lastIndexOf(nameOf(part)),
    )
    this.#parameters = names.flatMap((name, index) => (name === undefined ? [] : [[index, name] as const]))
    const isFixed = this.#parts.every((part) => typeof part === 'string')
    this.#fixed = isFixed ? this.#filled([]) : undefined
  }

  /**
   * The path for backends, with or without a query; undefined if it cannot be told for certain what the router took for
   * the prefix. `isStrict`: also if a backend may read a parameter differently.
   */
  apply(path: string, params: Readonly<Record<string, unknown>>, isStrict: boolean): string | undefined {
    const end = endOf(path, this.#count)
    if (end === -1) return undefined
    let inner = this.#fixed
    if (inner === undefined) {
      const segments = segmentsOf(path.slice(0, end))
      const isSame = ([index, name]: readonly [number, string]) => params[name] === decoded(segments[index]!)
      if (!this.#parameters.every(isSame)) return undefined
      if (isStrict && this.#parameters.some(([index]) => isUnclear(segments[index]!))) return undefined
      inner = this.#filled(segments)
    }
    const rest = path.slice(end)
    return inner === '' && !rest.startsWith('/') ? `/${rest}` : inner + rest
  }

  /** The prefixes of a request with this path, for what comes back. */
  prefixesOf(path: string): Prefixes {
    const segments = segmentsOf(path.slice(0, Math.max(endOf(path, this.#count), 0)))
    const inner = this.#fixed ?? this.#filled(segments)
    return { outer: segments.map((segment) => `/${segment}`).join(''), inner }
  }

  #filled(segments: readonly string[]): string {
    return this.#parts.map((part) => `/${typeof part === 'string' ? part : segments[part]}`).join('')
  }
}

/** What takes the place of a route's prefix by these options; undefined if it stays. */
export function prefixChange(
  prefix: string,
  { stripPrefix, prefix: other }: { readonly stripPrefix: boolean; readonly prefix?: string },
): PrefixChange | undefined {
  const replacement = stripPrefix ? '/' : other
  if (replacement === undefined || (replacement === '/' && segmentsOf(prefix).length === 0)) return undefined
  return new PrefixChange(prefix, replacement)
}
