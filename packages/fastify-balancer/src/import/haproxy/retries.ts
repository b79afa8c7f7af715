import { byDefault, fromLine, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf } from './lines.ts'
import type { Section } from './section.ts'

const afterSending = new Set([
  'empty-response',
  'junk-response',
  'response-timeout',
  '0rtt-rejected',
  'all-retryable-errors',
])
const retryable = [408, 425, 429, 500, 501, 502, 503, 504]

/**
 * `retries`, `retry-on` and `option redispatch`. By default HAProxy repeats only connecting, which is not counted here:
 * what never reached a backend always goes to another one.
 */
export function retryOf(section: Section, report: Report): TreeObject {
  const [retries, on, redispatch] = [
    section.get('retries'),
    section.get('retry-on'),
    section.get('option', 'redispatch'),
  ]
  if (redispatch === undefined)
    report.differs(
      retries?.place ?? section.head.place,
      retries === undefined ? textOf(section.head) : textOf(retries),
      'HAProxy repeats a refused connection to the same server (no option redispatch); here it goes to another one at once',
    )
  const conditions = (on?.words.slice(1) ?? []).filter((one) => one !== 'conn-failure' && one !== 'none')
  if (on === undefined || conditions.length === 0)
    return { attempts: byDefault('HAProxy', 0, 'only connecting is repeated (retry-on conn-failure)') }
  const statuses = conditions.filter((one) => /^\d{3}$/.test(one)).map(Number)
  const known = conditions.filter((one) => afterSending.has(one))
  for (const one of conditions)
    if (!/^\d{3}$/.test(one) && !afterSending.has(one))
      report.leaveOut(on.place, textOf(on), `there is no counterpart of ${one}`)
  if (!known.includes('all-retryable-errors') && known.length < 3)
    report.differs(
      on.place,
      textOf(on),
      'every failure after sending is retried, a broken connection and a timeout alike',
    )
  report.differs(on.place, textOf(on), 'only GET, HEAD and OPTIONS are sent again; see `retry.methods`')
  return {
    attempts: fromLine(on.place, Math.min(10, Number(retries?.words[1] ?? 3)), textOf(on)),
    statuses: known.includes('all-retryable-errors') ? [...new Set([...statuses, ...retryable])] : statuses,
    budget: byDefault('HAProxy', { ratio: 1, floor: 1_000_000 }, 'retries have no budget'),
  }
}
