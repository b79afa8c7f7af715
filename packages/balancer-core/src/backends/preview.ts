import { parseBackends, settingsOf, type BackendOptions } from './backend-options.ts'
import type { Backend } from './backend.ts'
import type { PoolOptions } from './pool-options.ts'

/** What may be told apart of a backend before and after a change. */
export interface PreviewedBackend extends Pick<Backend, 'url' | 'weight' | 'priority' | 'maxInFlight' | 'tags'> {
  readonly zone?: string | undefined
}

/** What a list would change, by the ids of backends. */
export interface Preview {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** With another `url`, it would be another backend at the same id. */
  readonly changed: readonly { readonly id: string; readonly from: PreviewedBackend; readonly to: PreviewedBackend }[]
  /** Why the list would be refused; with any, it would change nothing. Checks of newcomers are not asked. */
  readonly faults: readonly string[]
}

function described({ url, weight, priority, maxInFlight, zone, tags }: PreviewedBackend): PreviewedBackend {
  return { url, weight, priority, maxInFlight, tags, ...(zone !== undefined && { zone }) }
}

/** Says what a list would change. */
export function preview(
  current: readonly Backend[],
  wanted: readonly (string | BackendOptions)[],
  pool: PoolOptions,
): Preview {
  const faults: string[] = []
  const listed = parseBackends(wanted, pool, faults)
  const known = new Map(current.map((backend) => [backend.id, backend]))
  const kept = new Set(listed.map(({ id }) => id))
  const pairs = listed.flatMap((one) => {
    const backend = known.get(one.id)
    if (backend === undefined) return []
    return { id: one.id, from: described(backend), to: described({ url: one.url, ...settingsOf(one, pool) }) }
  })
  return {
    added: listed.map(({ id }) => id).filter((id) => !known.has(id)),
    removed: current.map(({ id }) => id).filter((id) => !kept.has(id)),
    changed: pairs.filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to)),
    faults,
  }
}
