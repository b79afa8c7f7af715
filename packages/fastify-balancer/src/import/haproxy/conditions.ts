import type { Line } from './lines.ts'
import type { Section } from './section.ts'

/** Requests that a condition is true for: of any host and below `/` unless it says more. */
export interface Match {
  readonly host: string | undefined
  readonly path: string
  /** Only this path, not what is below it. */
  readonly isExact: boolean
}

/** What could be read of a condition. */
export interface Condition {
  /** Any of them; undefined where something else than hosts and paths is asked for. */
  readonly matches: readonly Match[] | undefined
  /** The same, as if all else were true: it is at least as wide as the condition. Undefined if nothing is left then. */
  readonly widest: readonly Match[] | undefined
}

const everything: readonly Match[] = [{ host: undefined, path: '/', isExact: false }]

function patternsOf(words: readonly string[]): readonly string[] | undefined {
  const patterns: string[] = []
  let only = false
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (only || !word.startsWith('-')) patterns.push(word)
    else if (word === '--') only = true
    else if (word === '-m' && /^(?:str|beg)$/.test(words[index + 1] ?? '')) index++
    else if (word !== '-i') return undefined
  }
  return patterns
}

/** One test, such as `path_beg /api` or `hdr(host) -i shop.example`: any of its patterns. */
function testOf([criterion = '', ...words]: readonly string[]): readonly Match[] | undefined {
  if (criterion === 'always_true') return everything
  const patterns = patternsOf(words)
  if (patterns === undefined) return undefined
  const method = words.includes('-m') ? words[words.indexOf('-m') + 1] : 'str'
  if (/^(?:req\.)?hdr\(host\)(?:,lower)?$/i.test(criterion) && method === 'str')
    return patterns.map((host) => ({ host: host.toLowerCase(), path: '/', isExact: false }))
  const isBeginning = criterion === 'path_beg' || (criterion === 'path' && method === 'beg')
  if (!isBeginning && (criterion !== 'path' || method !== 'str')) return undefined
  if (patterns.some((path) => !/^\/[\w\-.~/%!$&'+,;=@]*$/.test(path))) return undefined
  return patterns.map((path) => ({ host: undefined, path, isExact: !isBeginning }))
}

/** Requests for which both are true; undefined if our file cannot say it. */
function both(one: Match, other: Match): Match | undefined {
  if (one.host !== undefined && other.host !== undefined && one.host !== other.host) return undefined
  if (one.path !== '/' && other.path !== '/') return undefined
  const { path, isExact } = one.path === '/' ? other : one
  return { host: one.host ?? other.host, path, isExact }
}

type Term = readonly string[]

/** Splits at `or` and `||`; what stands side by side must all be true. */
function alternativesOf(words: readonly string[]): readonly (readonly Term[])[] {
  const alternatives: Term[][] = [[]]
  let test: string[] | undefined
  for (const word of words) {
    if (word === '{' || word === '!{') {
      test = word === '{' ? [] : ['!']
      alternatives.at(-1)!.push(test)
    } else if (word === '}') test = undefined
    else if (test !== undefined) test.push(word)
    else if (word === '||' || word === 'or') alternatives.push([])
    else alternatives.at(-1)!.push(['acl', word])
  }
  return alternatives
}

function matchesOf(term: Term, section: Section): readonly Match[] | undefined {
  if (term[0] !== 'acl') return term[0] === '!' ? undefined : testOf(term)
  const name = term[1]!
  if (name === 'TRUE') return everything
  const definitions = section.own('acl', name)
  const found = definitions.map(({ words }) => testOf(words.slice(2)))
  if (definitions.length === 0 || found.some((one) => one === undefined)) return undefined
  return found.flatMap((one) => one!)
}

function allOf(terms: readonly (readonly Match[] | undefined)[]): readonly Match[] | undefined {
  return terms.reduce<readonly Match[] | undefined>((sum, matches) => {
    if (sum === undefined || matches === undefined) return undefined
    const pairs = sum.flatMap((one) => matches.map((other) => both(one, other)))
    return pairs.some((one) => one === undefined) ? undefined : pairs.map((one) => one!)
  }, everything)
}

function anyOf(alternatives: readonly (readonly Match[] | undefined)[]): readonly Match[] | undefined {
  return alternatives.some((one) => one === undefined) ? undefined : alternatives.flatMap((one) => one!)
}

/** Reads what stands behind `if` or `unless` in a line; without either, everything matches. */
export function conditionOf({ words }: Line, section: Section): Condition {
  const start = words.findIndex((word) => word === 'if' || word === 'unless')
  if (start === -1) return { matches: everything, widest: everything }
  const alternatives = alternativesOf(words.slice(start + 1)).map((terms) =>
    terms.map((term) => matchesOf(term, section)),
  )
  if (words[start] === 'unless') return { matches: undefined, widest: undefined }
  const known = alternatives.map((terms) => terms.filter((one) => one !== undefined))
  const isPartlyKnown = known.every((terms) => terms.length > 0)
  return { matches: anyOf(alternatives.map(allOf)), widest: isPartlyKnown ? anyOf(known.map(allOf)) : undefined }
}
