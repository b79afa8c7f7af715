// Do simulations say what the benchmark of tails has measured? The same scenarios, side by side.
import { path, readArguments } from './arguments.ts'
import { loadResults, resultsFile, saveResults } from './results.ts'
import type { TailReport } from './tail/report.ts'
import { compare, comparisonsAsMarkdown } from './tail/simulations.ts'

const { from, output } = readArguments(
  {
    name: 'run.ts simulated',
    does: 'Simulates the scenarios of `run.ts tail`, and shows both side by side. Measures nothing.',
  },
  {
    from: path('Results of run.ts tail', resultsFile('tail')),
    output: path('JSON file for the results', resultsFile('simulated')),
  },
)

const comparisons = compare(loadResults(from) as TailReport)
saveResults(output, comparisons)
process.stdout.write(`${comparisonsAsMarkdown(comparisons)}\n`)
process.exit(0)
