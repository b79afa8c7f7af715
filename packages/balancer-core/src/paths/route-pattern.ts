/** Order of preference in the router: fixed text, parameters with a regular expression, other parameters, wildcard. */
const ranks = { expression: '\uFFFD', parameter: '\uFFFE', wildcard: '\uFFFF' }

const optional = /(\/:[^/()]*?)\?(\/?)$/

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
}

/** As bytes, one character each, like paths. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Index where the parenthesis opened at `start` is closed. */
function closing(text: string, start: number): number {
  let depth = 0
  for (let index = start; index < text.length; index++) {
    const char = text[index]
    if (char === '\\') index++
    else if (char === '(') depth++
    else if (char === ')' && --depth === 0) return index
  }
  return text.length - 1
}

/** Index where literal text ends: at a parameter, or at `stop`. Two colons are one literal colon. */
function endOfFixed(text: string, start: number, stop: string): number {
  let index = start
  while (index < text.length && text[index] !== stop) {
    if (text[index] !== ':') index++
    else if (text[index + 1] === ':') index += 2
    else break
  }
  return index
}

/** UTF-8 continuation bytes. */
const following = /[\u0080-\u00bf]/g

const unescaped = (text: string) => bytesOf(text.replaceAll('::', ':'))
const fixedPart = (text: string) => escaped(unescaped(text))

/** One segment with parameters, from its first `:` on. */
interface Parameters {
  readonly end: number
  /** The expression for the whole segment; undefined if anything matches. */
  readonly expression: string | undefined
  /** Number of parameters, and length of the fixed text. */
  readonly count: number
  readonly fixed: number
}

/** Reads parameters as find-my-way does: `:a`, `:a.png`, `:a-:b`, `:hour(^\\d{2})h:minute(^\\d{2})m`. */
function parametersAt(text: string, start: number): Parameters {
  let expression = ''
  let index = start
  let isPlain = true
  let count = 0
  let fixed = 0
  while (text[index] === ':') {
    index++
    count++
    while (index < text.length && !'(-./'.includes(text[index]!)) index++
    if (text[index] === '(') {
      const end = closing(text, index)
      expression += `(?:${text
        .slice(index + 1, end)
        .replace(/^\^/, '')
        .replace(/\$$/, '')})`
      isPlain = false
      index = end + 1
    } else expression += '.*?'
    const from = index
    index = endOfFixed(text, index, '/')
    if (index > from) isPlain = false
    fixed += index - from
    expression += fixedPart(text.slice(from, index))
  }
  return { end: index, expression: isPlain ? undefined : expression, count, fixed }
}

/** The expression for one segment with parameters. */
interface Expression extends Pick<Parameters, 'count' | 'fixed'> {
  readonly exact: RegExp
  readonly folded: RegExp
}

/** The pattern of one of the app's routes, such as `/users/:id` or `/admin/*`. */
export class RoutePattern {
  readonly text: string
  /** Equal for patterns that differ only in parameter names, letter case or a trailing slash. */
  readonly key: string
  /** If two patterns match, the router takes the one with the smaller rank. */
  readonly rank: string
  /** The first segment in lower case; undefined if it is not fixed. */
  readonly firstSegment: string | undefined
  readonly #exact: RegExp
  readonly #folded: RegExp
  /** The expressions for the segments with parameters, in order. */
  readonly #expressions: readonly Expression[]

  constructor(text: string) {
    this.text = text
    const expressions: Expression[] = []
    let key = ''
    let rank = ''
    let source = ''
    let index = 0
    while (index < text.length) {
      const char = text[index]!
      if (char === '*') {
        key += '*'
        rank += ranks.wildcard
        source += '.*'
        break
      }
      if (char === ':' && text[index + 1] !== ':') {
        const { end, expression, count, fixed } = parametersAt(text, index)
        const whole = expression ?? '.*'
        expressions.push({ exact: new RegExp(`^${whole}$`, 's'), folded: new RegExp(`^${whole}$`, 'is'), count, fixed })
        key += `:${expression ?? ''}`
        rank += expression === undefined ? ranks.parameter : `${ranks.expression}${expression}`
        source += '([^/]*)'
        index = end
        continue
      }
      const from = index
      index = endOfFixed(text, index, '*')
      const fixed = unescaped(text.slice(from, index))
      key += fixed
      rank += fixed.toLowerCase()
      source += escaped(fixed)
    }
    this.key = key.toLowerCase().replace(/\/$/, '')
    this.rank = rank.replace(/\/$/, '')
    this.firstSegment = text === '/' ? '' : /^\/([^/:*\u0080-\uffff]+)(?:\/|$)/.exec(text)?.[1]?.toLowerCase()
    this.#exact = new RegExp(`^${source}$`, 's')
    // With or without a trailing slash, `/x/*` begins at `/x`.
    const isBelow = source.endsWith(String.raw`\/.*`)
    const stem = isBelow ? source.slice(0, -4) : source.replace(/\\\/$/, '')
    this.#folded = new RegExp(isBelow ? `^${stem}(?:/.*)?$` : `^${stem}/*$`, 'is')
    this.#expressions = expressions
  }

  /** Does the router match the path with it, as it is? */
  matches(path: string): boolean {
    const parts = this.#exact.exec(path)
    return parts !== null && this.#expressions.every(({ exact }, index) => exact.test(parts[index + 1]!))
  }

  /** If it resembles the path: is a parameter certainly longer than `most`? UTF-8 characters count as one. */
  exceeds(path: string, most: number): boolean {
    const parts = this.#folded.exec(path)?.slice(1) ?? []
    return parts.some((part, index) => {
      const { count, fixed } = this.#expressions[index]!
      return part.replaceAll(following, '').length > count * most + fixed
    })
  }

  /** Would it match, ignoring letter case and a trailing slash? */
  resembles(path: string): boolean {
    const parts = this.#folded.exec(path)
    return parts !== null && this.#expressions.every(({ folded }, index) => folded.test(parts[index + 1]!))
  }
}

/** The patterns of a route as it was declared; an optional parameter makes two. */
export function patternsOf(url: string): readonly RoutePattern[] {
  if (!optional.test(url)) return [new RoutePattern(url)]
  return [url.replace(optional, '$1$2'), url.replace(optional, '$2') || '/'].map((one) => new RoutePattern(one))
}
