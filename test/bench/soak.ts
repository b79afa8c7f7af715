// Does the balancer give everything back? Many requests, some aborted by clients, some reset by backends.
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { integer, path, readArguments } from './arguments.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { startNodeProgram } from './node-program.ts'
import { leaveProxyCore } from './pinning.ts'
import { resultsFile, saveResults } from './results.ts'
import { startFickleBackends } from './soak/backends.ts'
import { expectedEndings, play } from './soak/client.ts'
import { above, takeFigures } from './soak/figures.ts'
import { choosePart, parts, seededRandom, type Part } from './soak/parts.ts'

/** How long the proxy may take to come to rest. Idle connections to backends are kept for some seconds. */
const restDeadline = 30_000

const { requests, connections, seed, output } = readArguments(
  {
    name: 'soak.ts',
    does: 'Sends requests through the balancer, 5 % aborted by the client and 5 % reset by the backend, in every phase;\nthen checks that sockets, handles, timers and counters are back at their idle values.',
    more: 'Exits with 1 if something leaked, or a request ended unexpectedly.',
  },
  {
    requests: integer('Requests', { default: 200_000 }),
    connections: integer('Requests at a time', { default: 64 }),
    seed: integer('Seed of the random sequence', { default: 1 }),
    output: path('JSON file for the results', resultsFile('soak')),
  },
)

requireLinux()
leaveProxyCore()

const backends = await startFickleBackends(3)
const origins = backends.map((backend) => `http://127.0.0.1:${backend}`)
const { child, port } = await startNodeProgram('proxy', 'soak.ts', origins)
const idle = await takeFigures(child)

const random = seededRandom(seed)
const agent = new Agent({ keepAlive: true })
const counts = Object.fromEntries(Object.keys(parts).map((part) => [part, 0])) as Record<Part, number>
const faults = new Map<string, number>()
let sent = 0

async function client(): Promise<void> {
  while (sent < requests) {
    if (++sent % 20_000 === 0) process.stderr.write(`${sent} of ${requests} requests\n`)
    const part = choosePart(random)
    const ending = await play(part, port, agent, random)
    counts[part]++
    if (expectedEndings[part].includes(ending)) continue
    const fault = `${part} ended ${ending}`
    faults.set(fault, (faults.get(fault) ?? 0) + 1)
  }
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: connections }, client))
const seconds = (performance.now() - startedAt) / 1000
const busy = await takeFigures(child)
agent.destroy()

process.stderr.write('waiting for the proxy to become idle\n')
const endedAt = performance.now()
let rest = await takeFigures(child)
while (above(idle, rest).length > 0 && performance.now() - endedAt < restDeadline) {
  await delay(100)
  rest = await takeFigures(child)
}
const restedAfter = (performance.now() - endedAt) / 1000

const problems = [
  ...above(idle, rest).map((figure) => `leaked: ${figure}`),
  ...[...faults].map(([fault, count]) => `${count} × ${fault}`),
]
saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { requests, connections, seed },
  seconds,
  counts,
  idle,
  busy,
  rest,
  restedAfter,
  problems,
})
const names = [...new Set([...Object.keys(idle), ...Object.keys(busy), ...Object.keys(rest)])]
const partRows = Object.entries(counts).map(([part, count]) => [parts[part as Part], String(count)])
const figureRows = names.map((name) => [name].concat([idle, busy, rest].map((figures) => String(figures[name] ?? 0))))
process.stdout.write(
  `${markdownTable(['Requests', `${requests} in ${seconds.toFixed(0)} s`], partRows)}\n\n` +
    `${markdownTable(['Held by the proxy', 'idle', 'at the end', `${restedAfter.toFixed(1)} s later`], figureRows)}\n`,
)
for (const problem of problems) process.stderr.write(`!! ${problem}\n`)
process.exit(problems.length > 0 ? 1 : 0)
