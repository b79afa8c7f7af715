import type { Balancer } from '@fastify-balancer/balancer-core'
import { inSlices, urlOf } from '@fastify-balancer/option-schema'
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

/** What the balancer will make of an item; what is wrong with the shape of it, the balancer says itself. */
function itemOf(item: string | WantedBackend, index: number): Item | undefined {
  const given = (typeof item === 'string' ? { url: item } : item) as WantedBackend | null
  const origin = typeof given?.url === 'string' ? URL.parse(urlOf(given.url))?.origin : undefined
  if (origin === undefined) return undefined
  return { index, origin, id: typeof given?.id === 'string' ? given.id : origin }
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

  /**
   * What speaks against those of a list that the balancer does not have: that they may not be added; and, where it can still
   * be given another, that no path could name one.
   */
  async faults(
    { backends }: Balancer,
    wanted: readonly (string | WantedBackend)[],
    isGiven: boolean,
  ): Promise<string[]> {
    const known = new Map(backends.map(({ id, url }) => [id, url]))
    const refused: string[] = []
    const unnameable: string[] = []
    await inSlices(wanted, (given, place) => {
      const { index, origin, id } = itemOf(given, place) ?? {}
      if (origin === undefined || known.get(id!) === origin) return
      if (!this.#allowed.allows(origin))
        refused.push(`backends.${index}.url: '${origin}' is not among those that may be added`)
      const obstacle = isGiven ? this.obstacle(id!) : undefined
      if (obstacle !== undefined) unnameable.push(`backends.${index}.id: ${obstacle}`)
    })
    return [...refused, ...unnameable]
  }

  /** Why no path could name what has this name; undefined if one can. */
  obstacle(name: string): string | undefined {
    if (name.length > this.#longestId) return `no path could name it, for it is longer than ${this.#longestId}`
    if (!name.isWellFormed()) return 'no path could name it, for it holds half of a surrogate pair'
    // RFC 3986 §6.2.2.3; escaped, they are the same to a browser.
    if (name === '.' || name === '..') return 'no path could name it, for clients leave dots out of a path'
    return undefined
  }
}
