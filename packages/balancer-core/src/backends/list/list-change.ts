import type { BackendOptions, MakeList, ParsedBackend } from '../backend-options.ts'
import type { Backend } from '../backend.ts'
import { preview, previewInSlices, type Preview } from './preview.ts'
import { UnknownBackendError } from '../../errors.ts'
import type { PoolOptions } from '../pool-options.ts'

/** What a list that comes from the options changes. */
export interface ListChange extends Omit<Preview, 'faults'> {
  /** Of those added, removed and changed: ids that have been changed in another way since the last options. */
  readonly overridden: readonly string[]
}

const idsOf = ({ added, removed, changed }: Preview) => [...added, ...removed, ...changed.map(({ id }) => id)]

/** What `wanted` would change; `configured` is the list of the options in force, and `before` their pool. */
export async function listChange(
  current: readonly Backend[],
  wanted: readonly ParsedBackend[],
  pool: PoolOptions,
  configured: readonly ParsedBackend[],
  before: PoolOptions,
): Promise<ListChange> {
  const difference = await previewInSlices(current, wanted, pool)
  const since = new Set(idsOf(preview(current, configured, before)))
  const { added, removed, changed } = difference
  return { added, removed, changed, overridden: idsOf(difference).filter((id) => since.has(id)) }
}

/** A list with another backend in the place of the one with this id, or with none. @throws UnknownBackendError when it is made */
export function replacing(id: string, make: (one: ParsedBackend) => BackendOptions | undefined): MakeList {
  return (listed) => {
    if (!listed.some((one) => one.id === id)) throw new UnknownBackendError(id)
    return listed.flatMap((one) => (one.id === id ? (make(one) ?? []) : one))
  }
}

/** A list that may take the place of the current one, together with the options that it stands in. */
export interface PreparedList {
  readonly listed: readonly ParsedBackend[]
  readonly change: ListChange
  /** Why it must not take that place, one line each. */
  readonly faults: readonly string[]
  /** Puts it in force, with its options. A promise where its revision is still to be agreed on. */
  adopt(): Promise<void> | undefined
  /** Nothing has happened. */
  dismiss(): void
}
