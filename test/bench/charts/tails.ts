import { figure } from '../markdown.ts'
import type { TailScenarioReport } from '../tail/report.ts'
import type { Chart, Theme } from './drawing.ts'

/** The p99 of every balancer, a panel for each scenario, on a scale where every step is a factor. */
export function tailsChart(scenarios: readonly TailScenarioReport[]): Chart {
  return (theme) => ({
    title: {
      text: 'The slowest answers: p99 in ms, by how each balancer chooses',
      subtitle: 'Dashed: if nobody waited and the fastest backend did all. No balancer can do better.',
    },
    columns: 2,
    spacing: 28,
    concat: scenarios.map((scenario) => panel(scenario, theme)),
  })
}

function panel({ title, floor, subjects }: TailScenarioReport, theme: Theme) {
  const places = [floor.p99, ...subjects.map(({ p99 }) => p99.median)]
  const [from, to] = [Math.min(...places) / 1.2, Math.max(...places) * 1.1]
  const values = subjects.map(({ title: subject, isPeer, p99 }) => ({
    subject,
    kind: isPeer ? 'peer' : 'ours',
    ...p99,
    figure: figure(p99.median),
  }))
  const axis = { title: null, values: ticksWithin(from, to), orient: 'top' as const, grid: true }
  const scale = { type: 'log' as const, domain: [from, to], nice: false }
  const color = {
    field: 'kind',
    type: 'nominal' as const,
    scale: { domain: ['ours', 'peer'], range: [theme.ours, theme.peer] },
    legend: null,
  }
  const y = { field: 'subject', type: 'nominal' as const, sort: null, axis: { minExtent: 180 } }
  return {
    title: { text: title, fontSize: 12 },
    data: { values },
    width: 220,
    height: { step: 17 },
    layer: [
      {
        mark: { type: 'rule' as const, color: theme.muted, strokeDash: [3, 3] },
        encoding: { x: { datum: floor.p99, type: 'quantitative' as const } },
      },
      {
        mark: { type: 'rule' as const },
        encoding: { x: { field: 'min', type: 'quantitative' as const }, x2: { field: 'max' }, y, color },
      },
      {
        mark: { type: 'point' as const, filled: true, size: 50, opacity: 1 },
        encoding: { x: { field: 'median', type: 'quantitative' as const, axis, scale }, y, color },
      },
      {
        mark: { type: 'text' as const, align: 'left' as const, dx: 9 },
        encoding: { x: { field: 'max', type: 'quantitative' as const }, y, text: { field: 'figure' } },
      },
    ],
  }
}

/** Round numbers: more of them, the less there is to show. */
export function ticksWithin(from: number, to: number): number[] {
  const steps = to / from > 100 ? [1] : to / from > 8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7]
  const ticks: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10)
    ticks.push(
      ...steps.map((step) => Number((step * power).toPrecision(3))).filter((tick) => tick >= from && tick <= to),
    )
  return ticks
}
