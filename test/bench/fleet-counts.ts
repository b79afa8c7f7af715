// Would least-requests and p2c do better if instances knew of each other's requests? In simulated time.
import { path, readArguments } from './arguments.ts'
import { compareCounts } from './fleet-counts/compare.ts'
import { countsAsMarkdown } from './fleet-counts/markdown.ts'
import { resultsFile, saveResults } from './results.ts'

const { output } = readArguments(
  {
    name: 'run.ts fleet-counts',
    does: 'Simulates instances that know their own requests only, those of others late, or all of them. Measures nothing.',
  },
  { output: path('JSON file for the results', resultsFile('fleet-counts')) },
)

const comparisons = compareCounts()
saveResults(output, comparisons)
process.stdout.write(`${countsAsMarkdown(comparisons)}\n`)
process.exit(0)
