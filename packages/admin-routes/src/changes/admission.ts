import type { Balancer } from '@fastify-balancer/balancer-core'
import { AllowList } from './allow-list.ts'
import type { WantedBackend } from '../schemas/wanted.ts'

/** What the balancer itself makes of an item: its origin, and its name. */
interface Item {
  readonly index: number
  readonly origin: string
  readonly id: string
}

/** What the router was told; it looks at its own options first. */
interface RouterLimits {
  readonly maxParamLength?: number
  readonly routerOptions?: { readonly maxParamLength?: number }
}

/** Items that the balancer does not have. What is wrong with the shape of others, the balancer says itself. */
function newIn({ backends }: Balancer, wanted: readonly (string | WantedBackend)[]): Item[] {
  const known = new Set(backends.map(({ id, url }) => `${url} ${id}`))
  return wanted.flatMap((item, index) => {
    const given = (typeof item === 'string' ? { url: item } : item) as WantedBackend | null
    const origin = typeof given?.url === 'string' ? URL.parse(given.url)?.origin : undefined
    if (origin === undefined) return []
    const id = typeof given?.id === 'string' ? given.id : origin
    return known.has(`${origin} ${id}`) ? [] : { index, origin, id }
  })
}

/** Which backends may come into a list that do not stand in it. */
export class Admission {
  readonly #allowed: AllowList
  readonly #longestId: number

  /** `limits`: the app's, for a part of a path; with a longer one, a request does not reach its route. */
  constructor(allow: readonly string[] | undefined, { routerOptions, maxParamLength = 100 }: RouterLimits) {
    this.#allowed = new AllowList(allow)
    this.#longestId = routerOptions?.maxParamLength ?? maxParamLength
  }

  /** Why the allow-list does not let a list pass. */
  refused(balancer: Balancer, wanted: readonly (string | WantedBackend)[]): string[] {
    return newIn(balancer, wanted)
      .filter(({ origin }) => !this.#allowed.allows(origin))
      .map(({ index, origin }) => `backends.${index}.url: '${origin}' is not among those that may be added`)
  }

  /** Why no path could name what has this name; undefined if one can. */
  obstacle(name: string): string | undefined {
    if (name.length > this.#longestId) return `no path could name it, for it is longer than ${this.#longestId}`
    if (!name.isWellFormed()) return 'no path could name it, for it holds half of a surrogate pair'
    // RFC 3986 §6.2.2.3; escaped, they are the same to a browser.
    if (name === '.' || name === '..') return 'no path could name it, for clients leave dots out of a path'
    return undefined
  }

  /** Backends that no path could name. */
  unnameable(balancer: Balancer, wanted: readonly (string | WantedBackend)[]): string[] {
    return newIn(balancer, wanted).flatMap(({ index, id }) => {
      const obstacle = this.obstacle(id)
      return obstacle === undefined ? [] : [`backends.${index}.id: ${obstacle}`]
    })
  }
}
