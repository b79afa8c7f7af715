import type { Backend } from '@fastify-balancer/balancer-core'
import type { Layout, LayoutMaker, Node } from './layout.ts'
import { bytesOf } from './bytes.ts'

/**
 * What a backend is recognised by: its id. By default that is its URL, of which host and port count: as nginx and ketama
 * have it.
 */
function identityOf({ id, url }: Backend): string {
  if (id !== url) return bytesOf(id)
  const authority = url.slice(url.indexOf('://') + 3)
  if (/:\d+$/.test(authority)) return authority
  return `${authority}:${url.startsWith('https:') ? 443 : 80}`
}

/** A layout over backends, and the backends by its indexes. */
export interface LaidOut {
  readonly backends: readonly Backend[]
  readonly layout: Layout
}

function areSame(some: readonly Node[], others: readonly Node[]): boolean {
  return (
    some.length === others.length &&
    some.every(
      ({ identity, weight }, index) => identity === others[index]!.identity && weight === others[index]!.weight,
    )
  )
}

/** Lays keys out over sets, and does nothing where neither ids nor weights have changed. */
export class Layouts {
  readonly #make: LayoutMaker
  #nodes: readonly Node[] = []
  #layout: Layout | undefined

  constructor(make: LayoutMaker) {
    this.#make = make
  }

  /** Over at least one backend, in whatever order. Weights are those configured: slow start moves no keys. */
  over(available: readonly Backend[]): LaidOut {
    const entries = available
      .map((backend) => ({ identity: identityOf(backend), weight: backend.weight, backend }))
      .sort((one, other) => (one.identity < other.identity ? -1 : one.identity > other.identity ? 1 : 0))
    if (this.#layout === undefined || !areSame(entries, this.#nodes)) {
      this.#nodes = entries.map(({ identity, weight }) => ({ identity, weight }))
      this.#layout = this.#make(this.#nodes)
    }
    return { backends: entries.map(({ backend }) => backend), layout: this.#layout }
  }
}
