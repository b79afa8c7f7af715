import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { faultsOf, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { WantedBackend } from '../schemas/wanted.ts'

type PoolOptions = Balancer['options']['pool']

/** The parts that the balancer itself does not check. */
const SavedBackend = Type.Object({
  state: Type.Optional(Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')])),
})

const SavedList = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, maximum: 2 ** 52 }),
    // States are checked together with the rest, see `faultsOfStates`.
    backends: Type.Array(Type.Unsafe<Static<typeof SavedBackend>>(Type.Object({}))),
  },
  strict,
)
/** The list of one balancer, as in the file. */
export type SavedList = Static<typeof SavedList>

const SavedLists = Type.Object({ version: Type.Literal(1), balancers: Type.Record(Type.String(), SavedList) }, strict)

function parsed(bytes: Uint8Array): { readonly value?: unknown; readonly fault?: string } {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown }
  } catch (error) {
    // The message may quote the file's text: leave that out.
    return { fault: `not JSON: ${(error as Error).message.replace(/,? (?:\.\.\.)?".*$/s, '')}` }
  }
}

/** Reads what `textOf` wrote: lists by balancer name. Adds any faults to `faults`. */
export function listsIn(bytes: Uint8Array, faults: string[]): Map<string, SavedList> {
  const { value, fault } = parsed(bytes)
  if (fault !== undefined) {
    faults.push(fault)
    return new Map()
  }
  const { version } = (value ?? {}) as { version?: unknown }
  if (typeof version === 'number' && version !== 1) faults.push(`version: ${version} is not supported, only 1`)
  else faults.push(...faultsOf(SavedLists, value))
  return faults.length > 0 ? new Map() : new Map(Object.entries((value as Static<typeof SavedLists>).balancers))
}

/** Invalid states. */
export function faultsOfStates({ backends }: SavedList): string[] {
  return backends.flatMap((backend, index) => faultsOf(SavedBackend, backend, `backends.${index}`))
}

/** The text of a file with these lists. */
export function textOf(lists: ReadonlyMap<string, SavedList>): string {
  return `${JSON.stringify({ version: 1, balancers: Object.fromEntries(lists) }, null, 2)}\n`
}

/** A backend's settings and state, without defaults: these may change with the options. */
function savedBackend(backend: Backend, pool: PoolOptions) {
  const { id, url, weight, priority, maxInFlight, zone, tags, protocol, proxyProtocol, state } = backend
  return {
    id,
    url,
    ...(weight !== 1 && { weight }),
    ...(priority !== 0 && { priority }),
    ...(maxInFlight !== pool.connections && { maxInFlight }),
    ...(zone !== undefined && { zone }),
    ...(tags.length > 0 && { tags }),
    ...(proxyProtocol !== undefined && { proxyProtocol }),
    ...(protocol !== pool.protocol && { protocol }),
    ...(state !== 'ready' && { state }),
  }
}

/** The current list of a balancer. */
export function savedList({ set, options }: Balancer): SavedList {
  return { revision: set.revision, backends: set.all.map((one) => savedBackend(one, options.pool)) }
}

/** The backends as the balancer takes them; it checks them itself. */
export function wantedOf({ backends }: SavedList): readonly WantedBackend[] {
  return backends.map(({ state: _state, ...wanted }) => wanted as WantedBackend)
}
