// Does memory stay flat when clients read slower than backends send?
import { setInterval as every } from 'node:timers/promises'
import { choice, integer, path, readArguments } from './arguments.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { residentMemory } from './memory.ts'
import { leaveProxyCore } from './pinning.ts'
import { resultsFile, saveResults } from './results.ts'
import { mebibyte, startGenerousBackends } from './slow-readers/backend.ts'
import { SlowReader } from './slow-readers/reader.ts'
import { slope } from './statistics.ts'
import { oursFull, oursRaw } from './subjects/all.ts'
import { makeWorkplace } from './workplace.ts'

/** MiB above the idle figure. */
const growthLimit = 100
/** How much of what flows through may stay, over the second half. Garbage that is collected in steps is below it. */
const keptLimit = 0.05

const { lane, clients, rate, seconds, output } = readArguments(
  {
    name: 'slow-readers.ts',
    does: 'Slow clients read large bodies through the balancer; measures the memory of its process.',
    more: `Exits with 1 if its memory grows by ${growthLimit} MiB, or keeps growing.`,
  },
  {
    lane: choice('How responses go out', ['raw', 'full']),
    clients: integer('Clients', { default: 200 }),
    rate: integer('KiB that each client reads in a second', { default: 100 }),
    seconds: integer('Seconds', { default: 30, minimum: 10 }),
    output: path('JSON file for the results (results/slow-readers-LANE.json)', undefined),
  },
)

requireLinux()
leaveProxyCore()

/** MiB a second. */
const slopeLimit = (keptLimit * clients * rate) / 1024
const subject = lane === 'raw' ? oursRaw : oursFull
const { port, child } = await subject.start(await startGenerousBackends(3), makeWorkplace())
const fresh = residentMemory(child.pid)
// Idle is a process that has worked: compiled code and caches are not what slow readers cost.
for (let round = 0; round < 20; round++) {
  await Promise.all(Array.from({ length: clients }, async () => (await fetch(`http://127.0.0.1:${port}/small`)).text()))
}
const idle = residentMemory(child.pid)

const readers = Array.from({ length: clients }, () => new SlowReader(port, '/big', rate * 1024))
const samples: number[] = []
const startedAt = performance.now()
for await (const _ of every(20)) {
  for (const reader of readers) reader.read()
  const elapsed = (performance.now() - startedAt) / 1000
  if (elapsed < samples.length + 1) continue
  child.assertAlive()
  samples.push(residentMemory(child.pid))
  process.stderr.write(`${samples.length} of ${seconds} s: ${samples.at(-1)!.toFixed(1)} MiB\n`)
  if (samples.length === seconds) break
}

const growth = Math.max(...samples) - idle
const rise = slope(samples.slice(samples.length / 2))
const least = Math.min(...readers.map(({ bytesRead }) => bytesRead)) / seconds / 1024
const broken = readers.flatMap((reader) => reader.broken ?? [])
for (const reader of readers) reader.stop()

const faults = [
  ...(growth >= growthLimit ? [`memory grew by ${growth.toFixed(1)} MiB`] : []),
  ...(rise > slopeLimit ? [`memory keeps growing, by ${rise.toFixed(2)} MiB/s`] : []),
  ...(broken.length > 0 ? [`${broken.length} clients were cut off: ${[...new Set(broken)].join(', ')}`] : []),
  // Otherwise nothing was put to the test.
  ...(least < rate * 0.8 ? [`a client got only ${least.toFixed(0)} KiB/s`] : []),
]
saveResults(output ?? resultsFile(`slow-readers-${lane}`), {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { lane, clients, rate, seconds, offered: 64 * mebibyte },
  fresh,
  idle,
  samples,
  growth,
  growthLimit,
  slope: rise,
  slopeLimit,
  faults,
})
process.stdout.write(
  `${clients} clients read ${rate} KiB/s each for ${seconds} s (${lane} lane, 64 MiB offered to each at once):\n` +
    `fresh ${fresh.toFixed(1)} MiB, idle after ${20 * clients} small requests ${idle.toFixed(1)} MiB, at most ${Math.max(...samples).toFixed(1)} MiB, so growth ${growth.toFixed(1)} MiB ` +
    `(limit ${growthLimit}); slope over the second half ${rise.toFixed(2)} MiB/s (limit ${slopeLimit.toFixed(2)})\n`,
)
for (const fault of faults) process.stderr.write(`!! ${fault}\n`)
process.exit(faults.length > 0 ? 1 : 0)
