import { columns, type Sorting } from '../backends/columns.ts'
import { stateWord, type StateWord } from '../backends/state-word.ts'
import type { Arrangement } from './arrangement.ts'
import type { TrafficById } from '../live/traffic.ts'
import type { BackendView } from '../api/views.ts'

/** Numbers in ids are compared as numbers: b2 comes before b10. */
const texts = new Intl.Collator('en', { numeric: true })

function compared(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : texts.compare(String(a), String(b))
}

/** Sorted by a column; of equal ones, and without a column, the order of the list stays. */
function sorted(
  backends: readonly BackendView[],
  sorting: Sorting | undefined,
  traffic: TrafficById,
): readonly BackendView[] {
  const value = columns.find(({ key }) => key === sorting?.key)?.value
  if (value === undefined || sorting === undefined) return backends
  const way = sorting.isDescending ? -1 : 1
  return backends
    .map((backend) => ({ backend, by: value(backend, traffic.get(backend.id)) }))
    .toSorted(({ by: a }, { by: b }) => {
      // Whatever the direction, those without a value come last.
      if (a === null || b === null) return Number(a === null) - Number(b === null)
      return way * compared(a, b)
    })
    .map(({ backend }) => backend)
}

function isFound({ id, url, zone = '', tags }: BackendView, words: readonly string[]): boolean {
  const text = [id, url, zone, ...tags].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}

/** Those in whose id, URL, zone or tags every word is found, whatever its case. */
export function found(backends: readonly BackendView[], search: string): readonly BackendView[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return words.length === 0 ? backends : backends.filter((backend) => isFound(backend, words))
}

/** How many backends are in each state. */
export function countsOf(backends: readonly BackendView[]): Readonly<Record<StateWord, number>> {
  const counts = { unhealthy: 0, draining: 0, maintenance: 0, healthy: 0 }
  for (const backend of backends) counts[stateWord(backend)]++
  return counts
}

/** The backends that a viewer wants to see, in the order wanted. */
export function arranged(
  backends: readonly BackendView[],
  { sorting, state, search }: Arrangement,
  traffic: TrafficById,
): readonly BackendView[] {
  const matching = found(backends, search)
  const wanted = state === undefined ? matching : matching.filter((backend) => stateWord(backend) === state)
  return sorted(wanted, sorting, traffic)
}

/**
 * The order to show while somebody points at a row, so that it does not move away: as before, without what has been
 * removed, and with what has come at the end.
 */
export function held(
  before: readonly string[],
  wanted: readonly BackendView[],
  all: readonly BackendView[],
): readonly BackendView[] {
  const byId = new Map(all.map((backend) => [backend.id, backend]))
  const kept = before.map((id) => byId.get(id)).filter((backend) => backend !== undefined)
  const shown = new Set(before)
  return [...kept, ...wanted.filter(({ id }) => !shown.has(id))]
}
