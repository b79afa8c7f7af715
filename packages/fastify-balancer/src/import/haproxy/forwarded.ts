import { byDefault, fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Line } from './lines.ts'
import type { Section } from './section.ts'

/** Rules that say of a request what `xForwarded` says of it anyway. */
const usual: Readonly<Record<string, RegExp>> = {
  'x-forwarded-for': /^(?:%\[src\]|%ci)$/,
  'x-forwarded-proto':
    /^(?:https if \{ ssl_fc \}|http (?:if !\{ ssl_fc \}|unless \{ ssl_fc \})|%\[ssl_fc,iif\(https,http\)\])$/,
  'x-forwarded-host': /^%\[(?:req\.)?hdr\(host\)\]$/i,
}

/** `http-request set-header X-Forwarded-Proto https if { ssl_fc }` and the like. */
function usualHeaders(section: Section): readonly Line[] {
  return [...section.peek('http-request', 'set-header'), ...section.peek('http-request', 'add-header')].filter(
    ({ words: [, , name = '', ...value] }) => usual[name.toLowerCase()]?.test(value.join(' ')) === true,
  )
}

/** `option forwardfor`, and headers like it, of the frontend or the backend. */
export function forwardedOf(frontend: Section, backend: Section, report: Report): Tree {
  const option = backend.get('option', 'forwardfor') ?? frontend.get('option', 'forwardfor')
  const headers = [...new Set([frontend, backend])].flatMap((section) => {
    const lines = usualHeaders(section)
    section.settle(lines)
    return lines
  })
  const line = option ?? headers[0]
  if (line === undefined) return byDefault('HAProxy', { xForwarded: false }, 'no x-forwarded-* is added')
  if (option !== undefined && option.words.length > 2)
    report.leaveOut(option.place, textOf(option), `${option.words.slice(2).join(' ')}: there is no counterpart`)
  report.differs(
    line.place,
    textOf(line),
    'backends get x-forwarded-for, x-forwarded-proto and x-forwarded-host, each once',
  )
  return fromLine(line.place, { xForwarded: true }, textOf(line))
}
