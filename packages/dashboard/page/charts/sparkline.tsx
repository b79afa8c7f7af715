import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { colour } from './palette.ts'
import { Plot, type Look } from './plot.tsx'
import { sparkOf, sparkSpan, type Traffic } from '../live/traffic.ts'

const look: Look = {
  legend: { show: false },
  cursor: { show: false },
  padding: [3, 1, 3, 1],
  scales: {
    x: { time: false, range: (_plot, _from, to) => [to - sparkSpan / 1000, to] },
    y: { range: (_plot, _from, to) => [0, to > 0 ? to : 1] },
  },
  axes: [{ show: false }, { show: false }],
  series: [{}, { stroke: () => colour('middle'), width: 1, points: { show: false } }],
}

const nothing: uPlot.AlignedData = [[], []]

/** The latency of a backend over the last minute. */
export function Sparkline({ name, traffic }: { readonly name: string; readonly traffic: Traffic | undefined }) {
  const data = useMemo(
    () => (traffic === undefined ? nothing : (sparkOf(traffic) as unknown as uPlot.AlignedData)),
    [traffic],
  )
  return <Plot name={name} look={look} data={data} class="sparkline" />
}
