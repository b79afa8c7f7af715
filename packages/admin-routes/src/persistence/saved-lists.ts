import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { faultsOf, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { WantedBackend } from '../schemas/wanted.ts'

/** What the balancer itself does not check. */
const SavedBackend = Type.Object({
  state: Type.Optional(Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')])),
})

const SavedList = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, maximum: 2 ** 52 }),
    // Looked at with everything else that may be wrong with one, see `faultsOfStates`.
    backends: Type.Array(Type.Unsafe<Static<typeof SavedBackend>>(Type.Object({}))),
  },
  strict,
)
/** The list of one balancer, as it is in the file. */
export type SavedList = Static<typeof SavedList>

const SavedLists = Type.Object({ version: Type.Literal(1), balancers: Type.Record(Type.String(), SavedList) }, strict)

function parsed(bytes: Uint8Array): { readonly value?: unknown; readonly fault?: string } {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown }
  } catch (error) {
    // Without what stands there, which the message may quote.
    return { fault: `no JSON: ${(error as Error).message.replace(/,? (?:\.\.\.)?".*$/s, '')}` }
  }
}

/** Reads what `textOf` has written, by the names of balancers; adds what is wrong to `faults`. */
export function listsIn(bytes: Uint8Array, faults: string[]): Map<string, SavedList> {
  const { value, fault } = parsed(bytes)
  if (fault !== undefined) {
    faults.push(fault)
    return new Map()
  }
  const { version } = (value ?? {}) as { version?: unknown }
  if (typeof version === 'number' && version !== 1) faults.push(`version: ${version} is not known, only 1`)
  else faults.push(...faultsOf(SavedLists, value))
  return faults.length > 0 ? new Map() : new Map(Object.entries((value as Static<typeof SavedLists>).balancers))
}

/** States that there are not. */
export function faultsOfStates({ backends }: SavedList): string[] {
  return backends.flatMap((backend, index) => faultsOf(SavedBackend, backend, `backends.${index}`))
}

/** The file of these lists. */
export function textOf(lists: ReadonlyMap<string, SavedList>): string {
  return `${JSON.stringify({ version: 1, balancers: Object.fromEntries(lists) }, null, 2)}\n`
}

/** What it is described by, and its state, without what is so by default and may be another default tomorrow. */
function savedBackend({ id, url, weight, priority, maxInFlight, zone, tags, state }: Backend, most: number) {
  return {
    id,
    url,
    ...(weight !== 1 && { weight }),
    ...(priority !== 0 && { priority }),
    ...(maxInFlight !== most && { maxInFlight }),
    ...(zone !== undefined && { zone }),
    ...(tags.length > 0 && { tags }),
    ...(state !== 'ready' && { state }),
  }
}

/** The list of a balancer as it is now. */
export function savedList({ set, options }: Balancer): SavedList {
  return { revision: set.revision, backends: set.all.map((one) => savedBackend(one, options.pool.connections)) }
}

/** The backends as the balancer takes them; it says itself what is wrong with them. */
export function wantedOf({ backends }: SavedList): readonly WantedBackend[] {
  return backends.map(({ state: _state, ...wanted }) => wanted as WantedBackend)
}
