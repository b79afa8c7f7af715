import type { FixedOption } from '@fastify-balancer/balancer-core'
import type { ToldChange } from './part.ts'
import type { ReloadCause } from './reload-cause.ts'

/** More than these are only counted: a list may be long. */
const mostTold = 20

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function difference({ from, to }: Pick<ToldChange, 'from' | 'to'>): string {
  if (from === undefined) return to === 'added' ? 'added' : `set to ${valueText(to)}`
  if (to === undefined) return from === 'removed' ? 'removed' : `not set any more (was ${valueText(from)})`
  return from === to ? 'changed' : `${valueText(from)} → ${valueText(to)}`
}

function changeText(change: ToldChange): string {
  const text = `${change.option} ${difference(change)}`
  return change.overrides === true ? `${text}, overriding a change through the admin API` : text
}

function joined(texts: readonly string[]): string {
  const more = texts.length - mostTold
  return [...texts.slice(0, mostTold), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** What has come of a reload, in one line; `byRestart`: new workers have it: `reloaded (SIGHUP): balancers.web.timeouts.headers 30000 → 5000`. */
export function summaryOf(
  { trigger, who, dryRun = false }: Pick<ReloadCause, 'trigger' | 'who' | 'dryRun'>,
  faults: readonly string[],
  changes: readonly ToldChange[],
  cannot: readonly FixedOption[],
  byRestart = false,
): string {
  const cause = who === undefined ? trigger : `${trigger}, by ${who}`
  if (faults.length > 0) return `not reloaded (${cause}), the configuration in force stays: ${joined(faults)}`
  const what = changes.length === 0 ? 'nothing has changed' : joined(changes.map(changeText))
  const waiting =
    cannot.length === 0
      ? ''
      : `. Only after a restart: ${joined(cannot.map((one) => `${changeText(one)} (${one.why})`))}`
  const how = byRestart ? ' by a rolling restart' : ''
  return `${dryRun ? 'would reload' : 'reloaded'} (${cause})${how}: ${what}${waiting}`
}
