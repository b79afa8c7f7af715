import { count, inBrief } from '../faults/markdown.ts'
import type { FaultFigures } from '../faults/figures.ts'
import type { FaultReport, FaultScenarioReport } from '../faults/report.ts'
import { subjectAxis, type Chart } from './drawing.ts'

/** Of an outage, what counts is what came when all were back. */
function seenOf({ shows }: FaultScenarioReport, { failed, slow, failedAfterReturn = 0 }: FaultFigures) {
  return shows === 'outage' ? { failed: failedAfterReturn, slow: 0 } : { failed, slow }
}

/** What clients saw of each fault, by balancer. */
export function faultsChart({ scenarios, subjects, options: { seconds, rate }, date }: FaultReport): Chart {
  const nameOf = ({ name }: FaultScenarioReport) => inBrief[name] ?? name
  const values = scenarios.flatMap((scenario) =>
    subjects.flatMap(({ name, title, version }) => {
      const seen = seenOf(scenario, scenario.figures[name]!)
      const all = seen.failed + seen.slow
      const beside = { fault: nameOf(scenario), subject: `${title} ${version}`, all, figure: count(all) }
      return (['failed', 'slow'] as const).map((outcome) => ({ ...beside, outcome, count: seen[outcome] }))
    }),
  )
  const bold = subjects.filter(({ name }) => name === 'ours').map(({ title, version }) => `${title} ${version}`)
  return (theme) => ({
    title: {
      text: `Of ${count(rate * seconds)} requests, how many fail or are slow`,
      subtitle: `One of four backends is sick, or all are down and then back (what fails after that). Slow: more than 10 × the median. ${date.slice(0, 10)}`,
    },
    data: { values },
    facet: { column: { field: 'fault', type: 'nominal', sort: scenarios.map(nameOf) } },
    spacing: 10,
    spec: {
      width: 106,
      height: { step: 22 },
      encoding: {
        y: subjectAxis(bold),
      },
      layer: [
        {
          mark: { type: 'bar', height: 14 },
          encoding: {
            x: { field: 'count', type: 'quantitative', axis: null, scale: { domainMax: (rate * seconds) / 2.4 } },
            color: {
              field: 'outcome',
              type: 'nominal',
              scale: { domain: ['failed', 'slow'], range: [theme.failed, theme.slow] },
            },
          },
        },
        {
          transform: [{ filter: "datum.outcome === 'failed'" }],
          mark: { type: 'text', align: 'left', dx: 4 },
          encoding: { x: { field: 'all', type: 'quantitative' }, text: { field: 'figure' } },
        },
      ],
    },
  })
}
