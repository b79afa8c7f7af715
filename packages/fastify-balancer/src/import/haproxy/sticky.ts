import { durationOf } from '../result/durations.ts'
import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { stickyOf, tellOfSecret } from '../result/sticky.ts'
import { textOf } from './lines.ts'
import type { Section } from './section.ts'
import type { Server } from './server.ts'

const withValue = new Set(['domain', 'maxidle', 'maxlife', 'attr'])

/** The words behind the name of a cookie, and the attributes among them. */
function readWords(words: readonly string[]): ReadonlyMap<string, string> {
  const read = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    const value = withValue.has(word) ? (words[++index] ?? '') : ''
    if (word !== 'attr') read.set(word, value)
    else read.set(value.split('=')[0]!.trim().toLowerCase(), value.split('=').slice(1).join('='))
  }
  return read
}

/** `cookie name insert …`; servers without a value of their own do not take part in HAProxy, and do here. */
export function stickyIn(section: Section, servers: readonly Server[], report: Report): Tree | undefined {
  const line = section.get('cookie')
  const named = servers.filter(({ settings }) => settings.has('cookie'))
  const [, name = '', ...words] = line?.words ?? []
  const read = readWords(words)
  const isInserted = line !== undefined && read.has('insert') && (named.length > 0 || read.has('dynamic'))
  for (const server of isInserted ? [] : named)
    report.leaveOut(server.line.place, textOf(server.line), 'cookie: clients are not kept at one backend')
  if (line === undefined) return undefined
  if (!isInserted) {
    const why = read.has('insert') ? 'no server has a value of it' : 'only a cookie that is inserted has a counterpart'
    report.leaveOut(line.place, textOf(line), why)
    return undefined
  }
  const said = [
    ...(read.has('indirect') ? [] : ['; backends do not see the cookie']),
    ...(read.has('preserve') ? ['; a cookie of that name by a backend is removed'] : []),
    ...(read.has('maxidle') ? ['; there is no maxidle'] : []),
    ...(named.length < servers.length ? ['; clients are kept at every server, also at those without a value'] : []),
  ]
  tellOfSecret(report, line.place, textOf(line), said.join(''))
  return fromLine(line.place, stickyOf(name, read, durationOf(read.get('maxlife') ?? '', 's', Infinity)), 'cookie')
}
