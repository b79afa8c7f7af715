// How should several processes share a listener? Balance, CPU, what is lost when a worker ends, and sessions of TLS, for each
// way that Node has: cluster's round robin, cluster's shared socket, and a socket for each by `reusePort`.
import { existsSync } from 'node:fs'
import { integer, path, readArguments, subset } from './arguments.ts'
import { startBackends } from './backends.ts'
import { measureBalance } from './listener-ways/balance.ts'
import { measureCpu } from './listener-ways/cpu.ts'
import { measureLoss } from './listener-ways/loss.ts'
import { reportAsMarkdown } from './listener-ways/markdown.ts'
import { measureResumption } from './listener-ways/resumption.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { leaveProxyCore } from './pinning.ts'
import { loadResults, resultsFile, saveResults } from './results.ts'
import { makeWorkplace } from './workplace.ts'

const { rounds, seconds, ends, only, output } = readArguments(
  {
    name: 'listener-ways.ts',
    does: 'Measures the ways in which several processes can share a listener.',
    more: 'What is not measured keeps its earlier results.',
  },
  {
    rounds: integer('Measured rounds of CPU, after one warm-up round', { default: 11 }),
    seconds: integer('Seconds per subject and round', { default: 1 }),
    ends: integer('How many workers end in each way, one after the other', { default: 5 }),
    only: subset('Only these parts', 'PART,…', ['cpu', 'balance', 'loss', 'resumption']),
    output: path('JSON file for the results', resultsFile('listener-ways')),
  },
)

requireLinux()
leaveProxyCore()
const backends = await startBackends(makeWorkplace())
const { title: load, load: generate } = chooseLoad()
const results = {
  ...(existsSync(output) && (loadResults(output) as object)),
  date: new Date().toISOString(),
  machine: describeMachine(),
  load,
  backends: backends.title,
  ...(only.includes('cpu') && { cpu: await measureCpu(backends.ports, generate, { rounds, seconds }) }),
  ...(only.includes('balance') && { balance: await measureBalance() }),
  ...(only.includes('loss') && { loss: await measureLoss(backends.ports, ends) }),
  ...(only.includes('resumption') && { resumption: await measureResumption(backends.ports) }),
}
saveResults(output, results)
process.stdout.write(`${reportAsMarkdown(results)}\n`)
process.exit()
