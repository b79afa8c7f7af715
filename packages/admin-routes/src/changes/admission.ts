import type { Balancer } from '@fastify-balancer/balancer-core'
import { inSlices, readAddress, type ServerAddress } from '@fastify-balancer/option-schema'
import { AllowList } from './allow-list.ts'
import type { WantedBackend } from '../schemas/wanted.ts'

/** A backend of a given list: its address and its id, as far as they are well formed. */
interface Item {
  readonly address?: ServerAddress
  readonly id?: string
}

/** The router's limits; `routerOptions` takes precedence. */
interface RouterLimits {
  readonly maxParamLength?: number
  readonly routerOptions?: { readonly maxParamLength?: number }
}

/** Address and id of one entry. What is malformed the balancer reports itself. */
function itemOf(item: string | WantedBackend): Item {
  const given = (typeof item === 'string' ? { url: item } : item) as WantedBackend | null
  const own = typeof given?.id === 'string' ? { id: given.id } : {}
  const address = typeof given?.url === 'string' ? readAddress(given.url) : undefined
  return address === undefined || 'fault' in address ? own : { address, id: address.url, ...own }
}

/** Keys are no matter of this API, nor are files of this machine. */
function tlsOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null ? (item as { readonly tls?: unknown }).tls : undefined
}

/** Decides which new backends may be added to a list. */
export class Admission {
  readonly #allowed: AllowList
  readonly #longestId: number

  /** `routerOptions`, `maxParamLength`: the app's. A request whose path has a longer segment does not reach its route. */
  constructor(allow: readonly string[] | undefined, { routerOptions, maxParamLength = 100 }: RouterLimits) {
    this.#allowed = new AllowList(allow)
    this.#longestId = routerOptions?.maxParamLength ?? maxParamLength
  }

  /**
   * The faults of the new backends in a list: not allowed to be added, or, if `isGiven` (the client wrote this list, so it
   * can change it), an id that no path can contain.
   */
  async faults(
    { backends, listed }: Balancer,
    wanted: readonly (string | WantedBackend)[],
    isGiven: boolean,
  ): Promise<string[]> {
    const known = new Map(backends.map(({ id, url }) => [id, url]))
    const secured = new Set<unknown>([undefined, ...listed.map(({ tls }) => tls)])
    const refused: string[] = []
    const unnameable: string[] = []
    await inSlices(wanted, (given, place) => {
      const { address, id } = itemOf(given)
      if (isGiven && !secured.has(tlsOf(given)))
        refused.push(`backends.${place}.tls: cannot be set here, only in the options of the balancer`)
      if (id === undefined || (address !== undefined && known.get(id) === address.url)) return
      if (address !== undefined && !this.#allowed.allows(address.url))
        refused.push(`backends.${place}.url: '${address.url}' is not allowed by the admin option 'allow'`)
      const obstacle = isGiven ? this.obstacle(id) : undefined
      if (obstacle !== undefined) unnameable.push(`backends.${place}.id: ${obstacle}`)
    })
    return [...refused, ...unnameable]
  }

  /** Why a name cannot be used in a path; undefined if it can. */
  obstacle(name: string): string | undefined {
    if (name.length > this.#longestId)
      return `cannot be used in a path: longer than ${this.#longestId} characters (Fastify's maxParamLength)`
    if (!name.isWellFormed()) return 'cannot be used in a path: it contains a lone surrogate'
    // RFC 3986 §6.2.2.3. Browsers do the same to encoded dots.
    if (name === '.' || name === '..') return "cannot be used in a path: clients remove '.' and '..' from paths"
    return undefined
  }
}
