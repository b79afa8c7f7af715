import { inSlices, withoutSecrets } from '@fastify-balancer/option-schema'
import { BackendList, itemsOf, settingsOf, type BackendOptions, type ParsedBackend } from '../backend-options.ts'
import type { Backend } from '../backend.ts'
import type { ProxyVersion } from '../../connections/proxy-header.ts'
import type { PoolOptions } from '../pool-options.ts'

/** The options of a backend that a preview compares. */
export interface PreviewedBackend extends Pick<
  Backend,
  'url' | 'weight' | 'priority' | 'maxInFlight' | 'tags' | 'protocol'
> {
  readonly zone?: string | undefined
  readonly proxyProtocol?: ProxyVersion | undefined
}

/** What a list would change, by the ids of backends. */
export interface Preview {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** With another `url` or `proxyProtocol`, it would be another backend with the same id. */
  readonly changed: readonly { readonly id: string; readonly from: PreviewedBackend; readonly to: PreviewedBackend }[]
  /** Why the list would be refused; with any fault, nothing would change. New backends are not probed. */
  readonly faults: readonly string[]
}

function described(one: PreviewedBackend): PreviewedBackend {
  const { url, weight, priority, maxInFlight, zone, tags, protocol, proxyProtocol } = one
  return {
    url,
    protocol,
    weight,
    priority,
    maxInFlight,
    tags,
    ...(zone !== undefined && { zone }),
    ...(proxyProtocol !== undefined && { proxyProtocol }),
  }
}

/** Would nothing of it be another? */
export function isSame(one: PreviewedBackend, other: PreviewedBackend): boolean {
  const { url, weight, priority, maxInFlight, zone, tags, protocol } = one
  const isAlike = url === other.url && weight === other.weight && priority === other.priority
  if (one.proxyProtocol !== other.proxyProtocol) return false
  if (!isAlike || maxInFlight !== other.maxInFlight || zone !== other.zone || protocol !== other.protocol) return false
  return tags.length === other.tags.length && tags.every((tag, index) => tag === other.tags[index])
}

/** Compares a list with the current one, one backend at a time. */
class Comparison {
  readonly #current: readonly Backend[]
  readonly #known: ReadonlyMap<string, Backend>
  readonly #pool: PoolOptions
  readonly faults: string[] = []
  readonly #list: BackendList
  readonly #kept = new Set<string>()
  readonly #added: string[] = []
  readonly #changed: Preview['changed'][number][] = []

  constructor(current: readonly Backend[], pool: PoolOptions, listed: readonly ParsedBackend[]) {
    this.#current = current
    this.#known = new Map(current.map((backend) => [backend.id, backend]))
    this.#pool = pool
    this.#list = new BackendList(pool, this.faults, new Set(listed))
  }

  read(item: unknown, index: number): void {
    const one = this.#list.read(item, index)
    if (one === undefined) return
    this.#kept.add(one.id)
    const backend = this.#known.get(one.id)
    if (backend === undefined) this.#added.push(one.id)
    else {
      const to = { ...one, ...settingsOf(one, this.#pool) }
      if (!isSame(backend, to) || !backend.tls.isOwn(one.tls))
        this.#changed.push({ id: one.id, from: described(backend), to: described(to) })
    }
  }

  get outcome(): Preview {
    const removed = this.#current.map(({ id }) => id).filter((id) => !this.#kept.has(id))
    return { added: this.#added, removed, changed: this.#changed, faults: this.faults.map(withoutSecrets) }
  }
}

/** Says what a list would change; what is `listed` now was checked before. */
export function preview(
  current: readonly Backend[],
  wanted: readonly (string | BackendOptions)[],
  pool: PoolOptions,
  listed: readonly ParsedBackend[] = [],
): Preview {
  const comparison = new Comparison(current, pool, listed)
  for (const [index, item] of itemsOf(wanted, comparison.faults).entries()) comparison.read(item, index)
  return comparison.outcome
}

/** The same of a long list, while requests go on. */
export async function previewInSlices(
  ...[current, wanted, pool, listed = []]: Parameters<typeof preview>
): Promise<Preview> {
  const comparison = new Comparison(current, pool, listed)
  await inSlices(itemsOf(wanted, comparison.faults), (item, index) => comparison.read(item, index))
  return comparison.outcome
}
