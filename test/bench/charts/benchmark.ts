import { figure } from '../markdown.ts'
import type { Report } from '../report.ts'
import { subjectAxis, type Chart } from './drawing.ts'

/** Of our own ways to run, those that say most: the core alone, and what most install. */
const ours: Readonly<Record<string, string>> = {
  'ours-raw': 'fastify-balancer, its core alone',
  'ours-checked': 'fastify-balancer, with its checks and circuits',
}

/** CPU of a plain GET by proxy, least first: medians, with the least and the most of all rounds. */
export function benchmarkChart({ scenarios, machine, options, date }: Report): Chart {
  const { title, subjects } = scenarios[0]!
  const shown = subjects.filter(({ name }) => name in ours || !name.startsWith('ours-'))
  const values = shown.map(({ name, title: known, version, cpuPerRequest: { median, min, max } }) => ({
    subject: ours[name] ?? (name === 'floor' ? known : `${known} ${version}`),
    kind: name in ours ? 'ours' : 'peer',
    median,
    min,
    max,
    figure: figure(median),
  }))
  const bold = Object.values(ours)
  return (theme) => ({
    title: {
      text: `CPU time per request, µs (${title}, ${options.connections} connections)`,
      subtitle: `Medians of ${options.rounds} rounds, and their range. Lower is better. ${machine.cpu}, Node ${machine.node}, ${date.slice(0, 10)}`,
    },
    data: { values },
    width: 480,
    height: { step: 22 },
    encoding: {
      y: subjectAxis(bold),
    },
    layer: [
      {
        mark: { type: 'bar', height: 14 },
        encoding: {
          x: { field: 'median', type: 'quantitative', axis: { title: null, tickCount: 7 } },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: { domain: ['ours', 'peer'], range: [theme.ours, theme.peer] },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'rule', color: theme.text, opacity: 0.55 },
        encoding: { x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: { x: { field: 'max', type: 'quantitative' }, text: { field: 'figure' } },
      },
    ],
  })
}
