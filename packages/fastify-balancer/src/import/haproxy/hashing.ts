import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Line } from './lines.ts'
import type { Section } from './section.ts'

/** The number behind a word. */
function numberAfter(words: readonly string[], word: string): number | undefined {
  const at = words.indexOf(word)
  return at === -1 ? undefined : Number(words[at + 1])
}

function uriKey(line: Line, report: Report): Tree {
  const { words } = line
  if (words.includes('whole')) report.differs(line.place, textOf(line), 'the query is not a part of the key')
  if (words.includes('len')) report.differs(line.place, textOf(line), 'the whole path is the key, however long')
  return { path: numberAfter(words, 'depth') ?? true }
}

/** What `balance hash` computes from: the expressions that are a part of the request as it is. */
function expressionKey(expression: string): Tree | undefined {
  if (expression === 'src') return { address: true }
  if (expression === 'path' || expression === 'pathq') return { path: true }
  const [, kind, name = ''] = /^(?:req\.)?(hdr|fhdr|cook|url_param|urlp)\(([^,()]+)\)$/.exec(expression) ?? []
  if (kind === undefined) return undefined
  return kind === 'cook' ? { cookie: name } : kind.startsWith('url') ? { query: name } : { header: name.toLowerCase() }
}

/** The setting `key` for a line `balance`; undefined if it is not by a hash. */
function keyOf(line: Line, report: Report): Tree | undefined {
  const [, method = '', argument = ''] = line.words
  if (method === 'source') return { address: true }
  if (method === 'uri') return uriKey(line, report)
  if (method === 'url_param') {
    if (line.words.includes('check_post')) report.differs(line.place, textOf(line), 'it is not looked for in bodies')
    return { query: argument }
  }
  if (method === 'hash') return expressionKey(argument)
  const header = /^hdr\(([^()]+)\)$/.exec(method)?.[1]
  if (header === undefined) return undefined
  if (argument === 'use_domain_only') report.differs(line.place, textOf(line), 'the whole host is the key')
  return { header: header.toLowerCase() }
}

/** The policy for a line `balance` that chooses by a hash; undefined if it does not, or by one that is not known here. */
export function hashPolicyOf(line: Line, section: Section, report: Report): Tree | undefined {
  const key = keyOf(line, report)
  if (key === undefined) return undefined
  const isConsistent = section.get('hash-type')?.words[1] === 'consistent'
  const factor = Number(section.get('hash-balance-factor')?.words[1] ?? 0)
  report.differs(line.place, textOf(line), 'a key stays at one server, but not at the one that HAProxy has for it')
  // Only consistent hashing is bounded there. Requests without a key take turns.
  const balance = isConsistent && factor > 0 ? factor / 100 : false
  return fromLine(line.place, { name: 'maglev', key, balance, policy: 'round-robin' }, textOf(line))
}
