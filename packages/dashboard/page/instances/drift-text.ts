import type { Drift, Fleet } from '../live/fleet.ts'

/** So many are named. */
const mostNamed = 3

function revisionsText({ revision, others }: Drift): string {
  if (others === revision) return `another revision ${revision}`
  return `revision ${revision}${others === undefined ? '' : `, not ${others}`}`
}

/** Which instances use another list than the others, in sentences. */
export function driftText({ drifts }: Pick<Fleet, 'drifts'>): string {
  const named = drifts
    .slice(0, mostNamed)
    .map((drift) => `${drift.instance} uses another list of ${drift.balancer} (${revisionsText(drift)}).`)
  const more = drifts.length - named.length
  return [...named, ...(more > 0 ? [`So it is in ${more} more ${more === 1 ? 'case' : 'cases'}.`] : [])].join(' ')
}

/** What an instance uses another list for, in a few words; undefined if for nothing. */
export function driftOf({ drifts }: Pick<Fleet, 'drifts'>, instance: string): string | undefined {
  const own = drifts.filter((drift) => drift.instance === instance)
  const [first] = own
  if (first === undefined) return undefined
  return own.length === 1
    ? `${first.balancer}: ${revisionsText(first)}`
    : own.map(({ balancer }) => balancer).join(', ')
}
