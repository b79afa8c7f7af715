import { stateWord, type StateWord } from './state-word.ts'
import type { Traffic } from '../live/traffic.ts'
import type { BackendView } from '../api/views.ts'

/** A column of the table. */
export interface Column {
  /** Its heading. */
  readonly name: string
  /** In the address, and in style sheets. */
  readonly key: string
  /** What its rows are sorted by; null comes last. A column without it cannot be sorted. */
  readonly value?: (backend: BackendView, traffic: Traffic | undefined) => number | string | null
  /** The first click sorts the largest to the top, since that is what one looks for. */
  readonly isLargestFirst?: boolean
}

/** The worst first. */
const urgency: Readonly<Record<StateWord, number>> = { unhealthy: 3, draining: 2, maintenance: 1, healthy: 0 }

/** In the order of the cells of a row. */
export const columns: readonly Column[] = [
  { name: 'Backend', key: 'backend', value: ({ id }) => id },
  { name: 'State', key: 'state', value: (backend) => urgency[stateWord(backend)], isLargestFirst: true },
  { name: 'Share', key: 'share', value: (_backend, traffic) => traffic?.share ?? 0, isLargestFirst: true },
  {
    name: 'In flight',
    key: 'in-flight',
    value: (backend, traffic) => traffic?.inFlight ?? backend.inFlight,
    isLargestFirst: true,
  },
  { name: 'Rate', key: 'rate', value: (_backend, traffic) => traffic?.rate ?? 0, isLargestFirst: true },
  { name: 'Errors', key: 'errors', value: (_backend, traffic) => traffic?.errors.failed ?? 0, isLargestFirst: true },
  { name: 'p95', key: 'p95', value: (_backend, traffic) => traffic?.p95 ?? null, isLargestFirst: true },
  { name: 'Probe', key: 'probe', value: ({ health }) => health?.lastProbe?.at ?? null },
  { name: 'Weight', key: 'weight', value: ({ weight }) => weight, isLargestFirst: true },
  { name: 'Actions', key: 'actions' },
]

/** The column by which rows are sorted, and which way. */
export interface Sorting {
  /** Of the column. */
  readonly key: string
  readonly isDescending: boolean
}

/** What a click on a heading does: this way, the other way, and then the order of the list again. */
export function nextSorting(now: Sorting | undefined, { key, isLargestFirst = false }: Column): Sorting | undefined {
  if (now?.key !== key) return { key, isDescending: isLargestFirst }
  return now.isDescending === isLargestFirst ? { key, isDescending: !isLargestFirst } : undefined
}
