// What do ten thousand backends cost? Time per pick of each policy, and of each way to change the set.
import { path, readArguments } from './arguments.ts'
import { timeChanges } from './large-set/changes.ts'
import { timePick } from './large-set/picks.ts'
import { usablePolicies } from './our-policies.ts'
import { describeMachine } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { resultsFile, saveResults } from './results.ts'
import type { Spread } from './statistics.ts'

const sizes = [10, 100, 1000, 10_000] as const
const smallest = sizes[0]
const largest = sizes[3]
/** Policies that look at each backend for each pick; with the others, it takes as long among 10 000 as among 10. */
const linearTime = new Set(['weighted', 'least-requests', 'rendezvous'])
/**
 * A pick among 10 000 may take so many times as long as among 10: memory is further away. Work that grows with the set
 * would show as 1000 ×.
 */
const growthLimit = 8
/** ms */
const changeLimit = 50
/** µs, with 100 backends. */
const pickLimit = 1

const { output } = readArguments(
  {
    name: 'large-set.ts',
    does: 'Measures how long picks and changes take with 10 to 10 000 backends.',
    more: `Exits with 1 if a pick of others than ${[...linearTime].join(', ')} gets slower with more backends, takes ${pickLimit} µs with 100, or a change takes ${changeLimit} ms.`,
  },
  { output: path('JSON file for the results', resultsFile('large-set')) },
)

const picks: Record<string, Record<number, number>> = {}
const builds: Record<string, Record<number, number>> = {}
for (const policy of usablePolicies) {
  process.stderr.write(`picks: ${policy}\n`)
  picks[policy] = {}
  builds[policy] = {}
  for (const size of sizes) {
    const { pick, build } = await timePick(policy, size)
    picks[policy][size] = pick
    builds[policy][size] = build
  }
}

const changes: Record<string, Record<number, Spread>> = {}
for (const size of sizes) {
  process.stderr.write(`changes: ${size} backends\n`)
  for (const [name, times] of Object.entries(await timeChanges(size))) (changes[name] ??= {})[size] = times
}

const problems = [
  ...Object.entries(picks)
    .filter(([policy, bySize]) => !linearTime.has(policy) && bySize[100]! >= pickLimit)
    .map(([policy, bySize]) => `a pick of ${policy} takes ${bySize[100]!.toFixed(2)} µs with 100 backends`),
  ...usablePolicies
    .filter((policy) => !linearTime.has(policy))
    .map((policy) => ({ policy, growth: picks[policy]![largest]! / picks[policy]![smallest]! }))
    .filter(({ growth }) => growth > growthLimit)
    .map(({ policy, growth }) => `a pick of ${policy} takes ${growth.toFixed(1)} × as long with ${largest} backends`),
  ...Object.entries(changes)
    .map(([name, bySize]) => ({ name, median: bySize[largest]!.median }))
    .filter(({ median }) => median >= changeLimit)
    .map(({ name, median }) => `${name} takes ${median.toFixed(1)} ms with ${largest} backends`),
]

saveResults(output, { date: new Date().toISOString(), machine: describeMachine(), picks, builds, changes, problems })
const head = sizes.map((size) => size.toLocaleString('en').replace(',', '\u202f'))
const rowsOf = (all: typeof picks) =>
  Object.entries(all).map(([policy, bySize]) => [policy].concat(sizes.map((size) => bySize[size]!.toFixed(3))))
const changeRows = Object.entries(changes).map(([name, bySize]) =>
  [name].concat(sizes.map((size) => `${bySize[size]!.median.toFixed(2)} (${bySize[size]!.max.toFixed(2)})`)),
)
process.stdout.write(
  `${markdownTable(['µs per pick', ...head], rowsOf(picks))}\n\n${markdownTable(['ms until a policy is ready', ...head], rowsOf(builds))}\n\n${markdownTable(['ms per change (longest)', ...head], changeRows)}\n`,
)
for (const problem of problems) process.stderr.write(`!! ${problem}\n`)
process.exit(problems.length > 0 ? 1 : 0)
