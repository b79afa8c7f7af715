/** Where patterns differ, the router looks for this text first, then for parameters with an expression, then for any, then for the rest. */
const ranks = { expression: '\uFFFD', parameter: '\uFFFE', wildcard: '\uFFFF' }

const optional = /(\/:[^/()]*?)\?(\/?)$/

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
}

/** As bytes, one character each: paths come so, too. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Where the parenthesis that opens at `start` is closed. */
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

/** Where text that stands for itself ends: at a parameter, or at `stop`. Two colons are one that stands for itself. */
function endOfFixed(text: string, start: number, stop: string): number {
  let index = start
  while (index < text.length && text[index] !== stop) {
    if (text[index] !== ':') index++
    else if (text[index + 1] === ':') index += 2
    else break
  }
  return index
}

/** Bytes of UTF-8 that are not the first of a character. */
const following = /[\u0080-\u00bf]/g

const unescaped = (text: string) => bytesOf(text.replaceAll('::', ':'))
const fixedPart = (text: string) => escaped(unescaped(text))

/** One segment with parameters, from its first `:` on. */
interface Parameters {
  readonly end: number
  /** What the whole of it must match; undefined where anything does. */
  readonly expression: string | undefined
  /** How many they are, and how much of the segment is fixed. */
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

/** What one segment with parameters must match. */
interface Expression extends Pick<Parameters, 'count' | 'fixed'> {
  readonly exact: RegExp
  readonly folded: RegExp
}

/** The pattern of one of the app's routes, such as `/users/:id` or `/admin/*`. */
export class RoutePattern {
  readonly text: string
  /** The same for patterns that differ only by names of parameters, letter case, and a slash at the end. */
  readonly key: string
  /** Of two patterns that match a path, the router takes that with the smaller rank. */
  readonly rank: string
  /** The first segment in lower case; undefined where that is not fixed. */
  readonly firstSegment: string | undefined
  readonly #exact: RegExp
  readonly #folded: RegExp
  /** What the segments with parameters must match, in order. */
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
    // With or without a slash at the end, `/x/*` begins at `/x`.
    const isBelow = source.endsWith(String.raw`\/.*`)
    const stem = isBelow ? source.slice(0, -4) : source.replace(/\\\/$/, '')
    this.#folded = new RegExp(isBelow ? `^${stem}(?:/.*)?$` : `^${stem}/*$`, 'is')
    this.#expressions = expressions
  }

  /** Does the router match the path by it, as it stands? */
  matches(path: string): boolean {
    const parts = this.#exact.exec(path)
    return parts !== null && this.#expressions.every(({ exact }, index) => exact.test(parts[index + 1]!))
  }

  /** Is a parameter longer than `most` for certain, where it resembles the path? Each character counts, if it is UTF-8. */
  exceeds(path: string, most: number): boolean {
    const parts = this.#folded.exec(path)?.slice(1) ?? []
    return parts.some((part, index) => {
      const { count, fixed } = this.#expressions[index]!
      return part.replaceAll(following, '').length > count * most + fixed
    })
  }

  /** Would it match, whatever the case of its letters, and with or without a slash at the end? */
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
