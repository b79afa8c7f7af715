import type { Static } from '@sinclair/typebox'
import type { HistoryView } from '../../schemas/past-views.ts'
import { mean } from './sums.ts'

type History = Static<typeof HistoryView>
type Column = readonly (number | null)[]
type Columns = { readonly [name: string]: Column | Columns }

/** Columns that do not add up. */
const percentiles: ReadonlySet<string> = new Set(['p50', 'p95', 'p99'])

/** The places of the steps of one answer in the steps of another. */
function placed(column: Column, places: readonly (number | undefined)[]): Column {
  return places.map((place) => (place === undefined ? null : (column[place] ?? null)))
}

function summedColumns(columns: readonly Column[]): (number | null)[] {
  return columns[0]!.map((_, index) => {
    const measured = columns.flatMap((one) => one[index] ?? [])
    return measured.length === 0 ? null : measured.reduce((sum, one) => sum + one, 0)
  })
}

/** A percentile cannot be told from percentiles: their mean comes close, since all get requests of the same kind. */
function meanColumns(columns: readonly Column[], weights: readonly Column[]): (number | null)[] {
  return columns[0]!.map((_, index) => {
    const measured = columns.flatMap((one, which) => {
      const value = one[index] ?? null
      return value === null ? [] : [[value, Math.max(1, weights[which]![index] ?? 0)] as const]
    })
    return measured.length === 0 ? null : mean(measured)
  })
}

function merged(all: readonly Columns[], weight: readonly Column[]): Columns {
  const names = Object.keys(all[0]!)
  return Object.fromEntries(
    names.map((name) => {
      const columns = all.map((one) => one[name]!)
      if (!columns.every((one) => Array.isArray(one))) return [name, merged(columns as Columns[], weight)] as const
      return [name, percentiles.has(name) ? meanColumns(columns, weight) : summedColumns(columns)] as const
    }),
  )
}

function placedIn(columns: Columns, places: readonly (number | undefined)[]): Columns {
  const all = Object.entries(columns).map(([name, one]) => [
    name,
    Array.isArray(one) ? placed(one as Column, places) : placedIn(one as Columns, places),
  ])
  return Object.fromEntries(all) as Columns
}

/**
 * What all instances have measured in the steps that begin at these times, by default those of the first one: counts add up,
 * percentiles are the mean by requests.
 */
export function mergedHistory(all: readonly History[], times = all[0]!.times): History {
  const [own] = all
  const aligned = all.map(({ times: theirs, totals, backends }) => {
    const index = new Map(theirs.map((time, place) => [time, place]))
    const places = times.map((time) => index.get(time))
    return {
      totals: placedIn(totals, places),
      backends: backends.map(({ id, ...columns }) => ({ id, columns: placedIn(columns as Columns, places) })),
    }
  })
  const totals = aligned.map((one) => one.totals)
  const byId = Map.groupBy(
    aligned.flatMap(({ backends }) => backends),
    ({ id }) => id,
  )
  const ofBackend = (columns: readonly Columns[]) =>
    merged(
      columns,
      columns.map(({ attempts }) => attempts as Column),
    )
  return {
    ...own!,
    times,
    since: Math.min(...all.map(({ since }) => since)),
    totals: merged(
      totals,
      totals.map(({ requests }) => requests as Column),
    ) as History['totals'],
    backends: [...byId].map(([id, same]) =>
      Object.assign({ id }, ofBackend(same.map(({ columns }) => columns)) as Omit<History['backends'][number], 'id'>),
    ),
  }
}
