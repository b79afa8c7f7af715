import { authorizationOf } from '../../packages/dashboard/test/browser/users.ts'
import type { LogLine } from '../support/log-lines.ts'
import type { Stage } from './stage.ts'

/** Sizes depend on the machine. */
function withoutSizes(text: string): string {
  return text.replaceAll(/\d+ MiB/g, 'N MiB')
}

/** How many of each. */
function tally(texts: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1
  return counts
}

/** Of the lines that stand in `some`, how often each stands in `all`. */
export function among(
  all: Iterable<string>,
  some: readonly string[],
): { readonly found: object; readonly wanted: object } {
  const counts = tally(all)
  const wanted = tally(some)
  return { found: Object.fromEntries(Object.keys(wanted).map((text) => [text, counts[text] ?? 0])), wanted }
}

const isOfExchange = (line: LogLine) => 'outcome' in line && 'attempts' in line

/** What the log says beside the lines of requests. */
export function linesOf({ log }: Stage): string[] {
  return log.all.filter((line) => !isOfExchange(line)).map(({ msg }) => withoutSizes(String(msg)))
}

/** How often requests have ended in each way, by the log. */
export function requestsOf({ log }: Stage): Record<string, number> {
  return tally(log.exchanges.map(({ msg }) => String(msg).replace(/ after [\d.]+ m?s/, ' after N')))
}

/** The values that stand in a scrape of one balancer, by their names without what all have. */
export function valuesOf(scrape: string): Record<string, number> {
  const lines = scrape.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const entries = lines.map((line) => {
    const at = line.lastIndexOf(' ')
    const name = line
      .slice(0, at)
      .replace(/^fastify_balancer_/, '')
      .replace(/,?balancer="shop",?/, (text) => (text.startsWith(',') && text.endsWith(',') ? ',' : ''))
      .replace('{}', '')
    return [name, Number(line.slice(at + 1))] as const
  })
  return Object.fromEntries(entries)
}

interface Event {
  readonly type: string
  readonly backend?: string
  readonly text?: string
  readonly reason?: string
  readonly action?: string
  readonly by?: string
  readonly before?: string
  readonly state?: string
}

function sentenceOf({ type, backend, text, reason, action, by, before, state }: Event): string {
  if (text !== undefined) return withoutSizes(text)
  return type === 'veto' ? `${backend} ${action} ${by}: ${reason}` : `${backend} ${before} → ${state}: ${reason}`
}

/** Asks the API for past events, once; answers the first `count` of them as sentences. */
export async function eventsOf({ url }: Stage, path: string, count: number): Promise<readonly string[]> {
  const controller = new AbortController()
  const { signal } = controller
  const headers = { authorization: authorizationOf('operator') }
  const { body } = await fetch(`${url}/_balancer${path}`, { headers, signal })
  let text = ''
  let sentences: readonly string[] = []
  for await (const part of body!.pipeThrough(new TextDecoderStream())) {
    text += part
    const whole = text.slice(0, text.lastIndexOf('\n\n') + 2)
    sentences = [...whole.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => sentenceOf(JSON.parse(data!) as Event))
    if (sentences.length >= count) break
  }
  controller.abort()
  return sentences
}
