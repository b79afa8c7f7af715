import type { Report } from '../result/report.ts'
import { isBelow, prefixOf } from '../result/routes.ts'
import { conditionOf, type Match } from './conditions.ts'
import { textOf, type Line } from './lines.ts'
import type { Section } from './section.ts'

/** A rule: these requests go to this backend; to none if it is closed. */
export interface Rule {
  readonly line: Line
  readonly host: string | undefined
  readonly prefix: string
  /** Undefined: they are answered with 503. */
  readonly backend: string | undefined
}

function ruleOf({ host, path, isExact }: Match, line: Line, backend: string | undefined, report: Report): Rule {
  if (isExact) report.differs(line.place, textOf(line), `what is below ${path} is treated like it`)
  else if (path !== '/' && !path.endsWith('/'))
    report.differs(line.place, textOf(line), `path_beg is also for ${path}… without a slash between; here it is not`)
  return { line, host, prefix: prefixOf(path), backend }
}

const refuses = /^(?:deny|auth|reject|tarpit|silent-drop)$/
const counts = /\b(?:sc\d?_|src_(?:conn|http|get|inc|clr|kbytes|sess|updt)|table_|be_conn|fe_conn|rate)/

function isRefusal({ words }: Line): boolean {
  const [kind, action = '', more = ''] = words
  if (kind === 'http-request') return refuses.test(action)
  return (kind === 'tcp-request' && refuses.test(more)) || kind === 'block'
}

/** Limits that count clients are not access rules: without them, no client gets access that it should not have. */
function isLimit(line: Line, section: Section): boolean {
  const names = new Set(line.words)
  const tested = section
    .own('acl')
    .filter(({ words }) => names.has(words[1]!))
    .flatMap(({ words }) => words.slice(2))
  return counts.test([...line.words, ...tested].join(' '))
}

/** Rules that keep requests from backends: what they are for, or may be for, is closed here. */
function closings(section: Section, report: Report): readonly Rule[] {
  const lines = ['http-request', 'tcp-request', 'block'].flatMap((kind) => section.peek(kind)).filter(isRefusal)
  return lines.flatMap((line) => {
    const [kind, ...more] = line.words
    section.own(kind!, more[0]!)
    if (isLimit(line, section)) {
      report.leaveOut(line.place, textOf(line), 'clients are not counted')
      return []
    }
    const { widest } = conditionOf(line, section)
    const matches = widest ?? [{ host: undefined, path: '/', isExact: false }]
    report.leaveOut(
      line.place,
      textOf(line),
      `requests are not refused by rules; ${matches.map(({ host, path }) => (host ?? '') + path).join(', ')} is answered with 503`,
    )
    return matches.map(({ host, path }) => ({ line, host, prefix: prefixOf(path), backend: undefined }))
  })
}

function choices(section: Section, report: Report): readonly Rule[] {
  const rules = section.own('use_backend').flatMap((line) => {
    const { matches } = conditionOf(line, section)
    const name = line.words[1] ?? ''
    if (matches === undefined || name.includes('%[')) {
      report.leaveOut(
        line.place,
        textOf(line),
        'requests are told apart by one host and by the beginning of the path; these go where the other rules send them',
      )
      return []
    }
    return matches.map((match) => ruleOf(match, line, name, report))
  })
  const line = section.get('default_backend')
  if (line !== undefined) return [...rules, { line, host: undefined, prefix: '/', backend: line.words[1] ?? '' }]
  if (section.own('server').length === 0) return rules
  return [...rules, { line: section.head, host: undefined, prefix: '/', backend: section.name }]
}

const covers = (one: Rule, other: Rule) =>
  (one.host === undefined || one.host === other.host) && isBelow(other.prefix, one.prefix)

const areSame = (one: Rule, other: Rule) => one.host === other.host && one.prefix === other.prefix

/**
 * HAProxy takes the first rule that fits, our router the one with the longest prefix, and of those the one with a host. So
 * a rule that comes too late is dropped; and where an earlier rule is for a host, and a later one for a longer prefix of
 * any host, one more rule says that the host keeps it.
 */
function byPrefix(rules: readonly Rule[], report: Report): readonly Rule[] {
  const kept: Rule[] = []
  for (const rule of rules) {
    const earlier = kept.find((one) => covers(one, rule))
    if (earlier !== undefined) {
      if (rule.line !== earlier.line)
        report.notNeeded(rule.line.place, textOf(rule.line), `line ${earlier.line.place.line} comes first`)
      continue
    }
    const keepers = kept
      .filter((one) => one.host !== undefined && rule.host === undefined && isBelow(rule.prefix, one.prefix))
      .map(({ line, host, backend }) => ({ line, host, prefix: rule.prefix, backend }))
      .filter((one) => !kept.some((other) => areSame(one, other)))
    kept.push(...keepers, rule)
  }
  return kept
}

/** The rules of a frontend, made such that their order does not matter. */
export function rulesOf(section: Section, report: Report): readonly Rule[] {
  return byPrefix([...closings(section, report), ...choices(section, report)], report)
}
