// Draws the charts of the benchmarks from their results: `node test/bench/charts.ts`. A test compares them with the results.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { benchmarkChart } from './charts/benchmark.ts'
import { svgOf, themes, type Chart } from './charts/drawing.ts'
import { faultsChart } from './charts/faults.ts'
import { tailsChart } from './charts/tails.ts'
import type { FaultReport } from './faults/report.ts'
import type { Report } from './report.ts'
import { loadResults, resultsFile } from './results.ts'
import type { TailReport } from './tail/report.ts'

const pictures = new URL('../../.github/pictures/', import.meta.url)

const charts: Readonly<Record<string, () => Chart>> = {
  benchmark: () => benchmarkChart(loadResults(resultsFile('latest')) as Report),
  faults: () => faultsChart(loadResults(resultsFile('faults')) as FaultReport),
  tails: () => tailsChart((loadResults(resultsFile('tail')) as TailReport).scenarios),
}

/** Every picture: where it is, and what it has to be. */
export async function drawCharts(): Promise<readonly { readonly file: string; readonly svg: string }[]> {
  const drawn = Object.entries(charts).flatMap(([name, chart]) =>
    (['light', 'dark'] as const).map(async (theme) => ({
      file: fileURLToPath(new URL(`${name}-${theme}.svg`, pictures)),
      svg: await svgOf(chart(), themes[theme]),
    })),
  )
  return Promise.all(drawn)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { file, svg } of await drawCharts()) {
    writeFileSync(file, svg)
    process.stdout.write(`${file}\n`)
  }
