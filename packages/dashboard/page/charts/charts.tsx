// Room `charts`: charts of the range that was chosen, and the sums of it.
import { useMemo, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { chartLook, type ChartKind } from './chart-look.ts'
import { countMark, durationMark, durationText, rateText } from '../figures-text.ts'
import { columnsOf, type Columns } from '../history/columns.ts'
import { merged } from '../history/past.ts'
import { looks, type Range } from '../history/range.ts'
import { totalsOf } from '../history/totals.ts'
import type { BalancerState } from '../live/state.ts'
import { Plot } from './plot.tsx'
import { RangeChoice } from './range-choice.tsx'
import { Totals } from './totals.tsx'

interface Kind extends ChartKind {
  readonly title: string
  readonly columns: readonly (keyof Columns)[]
}

const kinds: readonly Kind[] = [
  {
    title: 'Requests/s',
    columns: ['requests', 'retries'],
    lines: [
      { name: 'requests', colour: 'middle', fill: 'wash' },
      { name: 'retries', colour: 'high' },
    ],
    figure: rateText,
    mark: countMark,
  },
  {
    title: 'Errors/s',
    columns: ['clientErrors', 'serverErrors', 'failed'],
    lines: [
      { name: '4xx', colour: 'low' },
      { name: '5xx', colour: 'high' },
      // On top: most of the failed ones are 5xx, too.
      { name: 'failed', colour: 'bad', fill: 'bad-fill' },
    ],
    figure: rateText,
    mark: countMark,
  },
  {
    title: 'Latency',
    columns: ['p50', 'p95', 'p99'],
    lines: [
      { name: 'p50', colour: 'low' },
      { name: 'p95', colour: 'middle' },
      { name: 'p99', colour: 'high' },
    ],
    figure: durationText,
    mark: durationMark,
  },
]

interface ChartProps {
  readonly kind: Kind
  readonly range: Range
  readonly columns: Columns
}

function Chart({ kind, range, columns }: ChartProps) {
  const look = useMemo(() => chartLook(kind, looks[range].span), [kind, range])
  const data = useMemo(
    () => ['times' as const, ...kind.columns].map((key) => columns[key]) as unknown as uPlot.AlignedData,
    [columns],
  )
  const legend = useRef<HTMLDivElement>(null)
  const { title } = kind
  return (
    <figure>
      <figcaption aria-hidden="true">
        {title}
        <div class="legend" ref={legend} />
      </figcaption>
      <Plot name={`${title} over ${looks[range].words}`} look={look} data={data} legend={legend} class="chart" />
    </figure>
  )
}

interface ChartsProps {
  readonly balancer: BalancerState
  readonly range: Range
  readonly onRange: (range: Range) => void
}

/** What happened in the range that was chosen, up to now. */
export function Charts({ balancer: { past, seconds, view }, range, onRange }: ChartsProps) {
  const points = useMemo(() => merged(past, seconds, range), [past, seconds, range])
  const columns = useMemo(() => columnsOf(points), [points])
  const totals = useMemo(() => totalsOf(points), [points])
  return (
    <section class="charts" aria-label={`Last ${looks[range].words}`}>
      <div class="over">
        <RangeChoice range={range} onChoose={onRange} />
        <span class="moment" aria-hidden="true" />
        <Totals totals={totals} view={view} />
      </div>
      {kinds.map((kind) => (
        <Chart key={`${kind.title} ${range}`} kind={kind} range={range} columns={columns} />
      ))}
    </section>
  )
}
