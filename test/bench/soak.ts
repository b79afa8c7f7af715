// Does the balancer give everything back? Requests, event streams, tunnels and calls of gRPC, aborted, reset, restarted and
// drained.
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { integer, path, readArguments } from './arguments.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { startNodeProgram } from './node-program.ts'
import { leaveProxyCore } from './pinning.ts'
import { resultsFile, saveResults } from './results.ts'
import { fickleBackend } from './soak/backends.ts'
import { fickleCallBackend } from './soak/call-backends.ts'
import { Channel } from './soak/channel.ts'
import { expectedEndings, play, type Doors } from './soak/client.ts'
import { Disturbances } from './soak/disturbances.ts'
import { above, takeFigures } from './soak/figures.ts'
import { choosePart, isCall, parts, seededRandom, type Ending, type Part } from './soak/parts.ts'

/** How long the proxy may take to come to rest. Idle connections to backends are kept for some seconds. */
const restDeadline = 30_000
/** How much more of the heap may be in use after the second half than after the first (MiB). */
const heapLimit = 2
/** Between two disturbances (ms). */
const pause = 500
/** Connections for calls of gRPC: clients share them. */
const channelCount = 4

const { seconds, connections, seed, output } = readArguments(
  {
    name: 'soak.ts',
    does: 'Sends requests of all kinds and calls of gRPC through the balancer, some aborted by the client and some reset by the\nbackend, while backends restart and drain; then checks that sockets, handles, timers and counters are back at their idle values.\nDoes so twice; the second time, no more memory may be in use after it.',
    more: 'Exits with 1 if something leaked, or a request ended unexpectedly.',
  },
  {
    seconds: integer('Seconds', { default: 60, minimum: 2 }),
    connections: integer('Requests at a time', { default: 64 }),
    seed: integer('Seed of the random sequence', { default: 1 }),
    output: path('JSON file for the results', resultsFile('soak')),
  },
)

requireLinux()
leaveProxyCore()

const backends = Array.from({ length: 3 }, fickleBackend)
const callBackends = Array.from({ length: 3 }, fickleCallBackend)
const ports = await Promise.all([...backends, ...callBackends].map((backend) => backend.start()))
const { child, port } = await startNodeProgram(
  'proxy',
  'soak.ts',
  ports.map((backend) => `http://127.0.0.1:${backend}`),
)
const callPort = await child.ask<number>('port of calls')
const idle = await takeFigures(child)

const random = seededRandom(seed)
const counts = Object.fromEntries(Object.keys(parts).map((part) => [part, 0])) as Record<Part, number>
const faults = new Map<string, number>()
let disturbed = 0

/** What a disturbance may do: requests may end in any way, but calls end as they do when a backend is lost. */
function isExcused(part: Part, ending: Ending): boolean {
  return !isCall(part) || expectedEndings['call-stream-reset'].includes(ending)
}

async function client(doors: Doors, disturbances: Disturbances, end: number): Promise<void> {
  while (performance.now() < end) {
    const part = choosePart(random)
    const isDisturbed = disturbances.watch()
    const ending = await play(part, doors, random)
    counts[part]++
    if (expectedEndings[part].includes(ending)) continue
    const fault = `${part} ended ${ending}`
    if (isDisturbed() && isExcused(part, ending)) disturbed++
    else faults.set(fault, (faults.get(fault) ?? 0) + 1)
  }
}

/** Lasts until the proxy knows: when it answers the second time, it has read all that came before its first answer. */
async function restart(): Promise<void> {
  await Promise.all([backends[0]!.restart(), callBackends[0]!.restart()])
  await child.ask('figures')
  await child.ask('figures')
}

/** Half of it, until the proxy is idle again. */
async function half() {
  const agent = new Agent({ keepAlive: true })
  const channels = Array.from({ length: channelCount }, () => new Channel(callPort))
  const disturbances = new Disturbances([restart, () => child.ask('drain')])
  const over = new AbortController()
  const disturbing = disturbances.run(pause, over.signal)
  const end = performance.now() + seconds * 500
  const doors = (index: number): Doors => ({ port, agent, channel: channels[index % channels.length]! })
  await Promise.all(Array.from({ length: connections }, (_, index) => client(doors(index), disturbances, end)))
  over.abort()
  await disturbing
  const busy = await takeFigures(child)
  agent.destroy()
  for (const channel of channels) channel.close()
  process.stderr.write('waiting for the proxy to become idle\n')
  const endedAt = performance.now()
  let rest = await takeFigures(child)
  while (above(idle, rest).length > 0 && performance.now() - endedAt < restDeadline) {
    await delay(100)
    rest = await takeFigures(child)
  }
  const restedAfter = (performance.now() - endedAt) / 1000
  return { busy, rest, restedAfter, heap: await child.ask<number>('heap'), disturbances: disturbances.count }
}

const first = await half()
const { busy, rest, restedAfter, heap, disturbances } = await half()
const requests = Object.values(counts).reduce((sum, count) => sum + count, 0)

const problems = [
  ...above(idle, first.rest).map((figure) => `leaked in the first half: ${figure}`),
  ...above(idle, rest).map((figure) => `leaked: ${figure}`),
  ...[...faults].map(([fault, count]) => `${count} × ${fault}`),
  ...(heap > first.heap + heapLimit ? [`memory grew from ${first.heap.toFixed(1)} to ${heap.toFixed(1)} MiB`] : []),
  ...(first.disturbances + disturbances === 0 ? ['nothing was disturbed'] : []),
]
saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { seconds, connections, seed },
  requests,
  disturbances: first.disturbances + disturbances,
  disturbed,
  counts,
  idle,
  busy,
  rest,
  restedAfter,
  heap: [first.heap, heap],
  problems,
})
const names = [...new Set([...Object.keys(idle), ...Object.keys(busy), ...Object.keys(rest)])]
const partRows = Object.entries(counts).map(([part, count]) => [parts[part as Part], String(count)])
const figureRows = names.map((name) => [name].concat([idle, busy, rest].map((figures) => String(figures[name] ?? 0))))
process.stdout.write(
  `${markdownTable(['Requests', `${requests} in ${seconds} s`], partRows)}\n\n` +
    `${markdownTable(['Held by the proxy', 'idle', 'at the end', `${restedAfter.toFixed(1)} s later`], figureRows)}\n\n` +
    `Heap in use after each half: ${first.heap.toFixed(1)} and ${heap.toFixed(1)} MiB. Disturbed ${first.disturbances + disturbances} times, and ${disturbed} requests by that.\n`,
)
for (const problem of problems) process.stderr.write(`!! ${problem}\n`)
process.exit(problems.length > 0 ? 1 : 0)
