// Room `listing`: which backends are listed, and in which order: sorting, filters, search.
import type { Address, AddressChange } from '../use-address.ts'
import { columns, type Sorting } from '../backends/columns.ts'
import type { StateWord } from '../backends/state-word.ts'

/** What a viewer wants to see of the backends. */
export interface Arrangement {
  /** undefined: in the order of the list. */
  readonly sorting: Sorting | undefined
  /** undefined: of any state. */
  readonly state: StateWord | undefined
  /** Words, each of which must be found. */
  readonly search: string
}

/** The states to filter by, the worst first. */
export const states: readonly StateWord[] = ['unhealthy', 'draining', 'maintenance', 'healthy']

function sortingOf(written: string | undefined): Sorting | undefined {
  const isDescending = written?.startsWith('-') === true
  const key = isDescending ? written.slice(1) : written
  const column = columns.find((one) => one.key === key && one.value !== undefined)
  return column && { key: column.key, isDescending }
}

/** As the address says: `sort=-rate`, `state=unhealthy`, `search=canary`. What it does not know is left out. */
export function arrangementOf({ sort, state, search = '' }: Address): Arrangement {
  return { sorting: sortingOf(sort), state: states.find((one) => one === state), search }
}

/** The same, as parts of the address. */
export function addressOf({ sorting, state, search }: Arrangement): AddressChange {
  const sort = sorting === undefined ? undefined : `${sorting.isDescending ? '-' : ''}${sorting.key}`
  return { sort, state, search: search === '' ? undefined : search }
}
