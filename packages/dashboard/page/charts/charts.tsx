// Room `charts`: charts of the last minutes.
import { useMemo, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { chartLook } from './chart-look.ts'
import { count, countMark, durationMark, durationText } from '../figures-text.ts'
import type { History } from '../live/history.ts'
import { Plot, type Look } from './plot.tsx'

const rate = chartLook(
  [
    { name: 'requests/s', colour: 'middle', isFilled: true },
    { name: 'failed/s', colour: 'bad' },
  ],
  1,
  { figure: count, mark: countMark },
)
const percentage = (value: number) => `${count(value)} %`
const errors = chartLook([{ name: 'errors', colour: 'bad', isFilled: true }], 1, {
  figure: percentage,
  mark: percentage,
})
const latency = chartLook(
  [
    { name: 'p50', colour: 'low' },
    { name: 'p95', colour: 'middle' },
    { name: 'p99', colour: 'high' },
  ],
  1,
  { figure: durationText, mark: durationMark },
)

interface ChartProps {
  readonly title: string
  readonly look: Look
  readonly history: History
  readonly columns: readonly (keyof History)[]
}

function Chart({ title, look, history, columns }: ChartProps) {
  const data = useMemo(
    () => ['times' as const, ...columns].map((key) => history[key]) as unknown as uPlot.AlignedData,
    [history],
  )
  const legend = useRef<HTMLDivElement>(null)
  return (
    <figure>
      <figcaption aria-hidden="true">
        {title}
        <div class="legend" ref={legend} />
      </figcaption>
      <Plot name={`${title} over 5 minutes`} look={look} data={data} legend={legend} class="chart" />
    </figure>
  )
}

/** The last five minutes. */
export function Charts({ history }: { readonly history: History }) {
  return (
    <section class="charts" aria-label="Last 5 minutes">
      <Chart title="Requests" look={rate} history={history} columns={['rate', 'failures']} />
      <Chart title="Error rate" look={errors} history={history} columns={['errors']} />
      <Chart title="Latency" look={latency} history={history} columns={['p50', 'p95', 'p99']} />
    </section>
  )
}
