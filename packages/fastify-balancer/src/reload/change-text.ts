import type { ReloadReport } from '@fastify-balancer/admin-routes'

type ToldChange = ReloadReport['changes'][number]

/** More than these are only counted: a list may be long. */
const mostTold = 20

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function changeText({ option, from, to, overrides }: ToldChange): string {
  const how =
    from === undefined
      ? to === 'added'
        ? 'added'
        : `${valueText(to)}, not set before`
      : to === undefined
        ? from === 'removed'
          ? 'removed'
          : `not set any more, was ${valueText(from)}`
        : from === to
          ? 'changed'
          : `${valueText(from)} → ${valueText(to)}`
  return `${option} ${how}${overrides === true ? ' (set through the admin API)' : ''}`
}

function joined(texts: readonly string[]): string {
  const more = texts.length - mostTold
  return [...texts.slice(0, mostTold), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** What has changed, in one line: `web.timeouts.headers 30000 → 5000; web.backends.b added`. */
export function changesText(changes: readonly ToldChange[]): string {
  return joined(changes.map(changeText))
}

/** What waits for the next start, and why. */
export function fixedText(cannot: ReloadReport['cannot']): string {
  return joined(cannot.map((one) => `${changeText(one)} (${one.why})`))
}
