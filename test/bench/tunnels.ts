// What tunnels cost: frames through them, one core for each proxy in turn, and memory while they are idle.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { integer, path, readArguments, subset } from './arguments.ts'
import { cpuTime, descendants } from './cpu-time.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { residentMemory } from './memory.ts'
import { startNodeProgram, type RunningServer } from './node-program.ts'
import { leaveProxyCore } from './pinning.ts'
import { resultsFile, saveResults } from './results.ts'
import { spread } from './statistics.ts'
import { installedOf } from './subjects/installed.ts'
import type { Subject } from './subjects/subject.ts'
import { subjects } from './tunnels/subjects.ts'
import { LoadTunnel } from './tunnels/tunnel.ts'
import { makeWorkplace } from './workplace.ts'

const scenarios = { '64 B': { length: 64, tunnels: 64 }, '1 MiB': { length: 2 ** 20, tunnels: 8 } } as const
/** Handshakes at a time, when many tunnels are opened. */
const step = 100

const names = subjects.map(({ name }) => name)
const { rounds, seconds, idle, only, output } = readArguments(
  {
    name: 'tunnels.ts',
    does: 'Measures WebSocket tunnels side by side: frames that are echoed, and the memory of idle tunnels.',
    more: `Subjects: ${names.join(', ')}\nFor 10 000 idle tunnels, a proxy opens 20 000 sockets: \`ulimit -n 65536\` first.`,
  },
  {
    rounds: integer('Measured rounds, after one warm-up round', { default: 5 }),
    seconds: integer('Seconds per subject and round', { default: 4 }),
    idle: integer('Idle tunnels; 0 = their memory is not measured', { default: 10_000, minimum: 0 }),
    only: subset('Only these subjects', 'SUBJECT,…', names),
    output: path('JSON file for the results', resultsFile('tunnels')),
  },
)

requireLinux()
leaveProxyCore()

interface Sample {
  readonly messagesPerSecond: number
  /** µs */
  readonly cpuPerMessage: number
  /** ms of CPU for a MiB, in either direction */
  readonly cpuPerMebibyte: number
}

/** Of a proxy with its workers, in MiB. */
function memoryOf(pid: number): number {
  return descendants(pid).reduce((sum, each) => sum + residentMemory(each), 0)
}

async function openAll(port: number, length: number, count: number): Promise<LoadTunnel[]> {
  const opened: LoadTunnel[] = []
  while (opened.length < count) {
    const next = Math.min(step, count - opened.length)
    opened.push(...(await Promise.all(Array.from({ length: next }, () => LoadTunnel.open(port, length)))))
  }
  return opened
}

async function measure({ port, child }: RunningServer, scenario: keyof typeof scenarios): Promise<Sample> {
  const { length, tunnels } = scenarios[scenario]
  const opened = await openAll(port, length, tunnels)
  const before = cpuTime(child.pid)
  const startedAt = performance.now()
  for (const tunnel of opened) tunnel.start()
  await delay(seconds * 1000)
  const took = (performance.now() - startedAt) / 1000
  const used = cpuTime(child.pid) - before
  const messages = opened.reduce((sum, { answered }) => sum + answered, 0)
  const broken = opened.filter(({ isBroken }) => isBroken).length
  for (const tunnel of opened) tunnel.stop()
  if (broken > 0 || messages === 0) throw new Error(`${broken} tunnels broke, ${messages} messages were answered`)
  return {
    messagesPerSecond: messages / took,
    cpuPerMessage: (used / messages) * 1e6,
    cpuPerMebibyte: (used / ((2 * messages * length) / 2 ** 20)) * 1000,
  }
}

const { installed, skipped } = installedOf(subjects, only)
for (const title of skipped) process.stderr.write(`${title} is not installed: skipped\n`)
const directory = makeWorkplace()
const backend = await startNodeProgram('load', 'frames-backend.ts', [])
const start = (subject: Subject, name: string) => subject.start([backend.port], mkdtempSync(join(directory, name)))

const measured: Record<string, Record<string, Sample[]>> = {}
const servers = new Map<Subject, RunningServer>()
for (const subject of installed) servers.set(subject, await start(subject, 'frames-'))
for (const scenario of Object.keys(scenarios) as (keyof typeof scenarios)[]) {
  const samples: Record<string, Sample[]> = (measured[scenario] = {})
  for (let round = 0; round <= rounds; round++)
    for (const [{ name }, server] of servers) {
      process.stderr.write(`${scenario} · ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`} · ${name}\n`)
      const sample = await measure(server, scenario)
      if (round > 0) (samples[name] ??= []).push(sample)
    }
}
await Promise.all([...servers.values()].map(({ child }) => child.stop()))

/** KiB of memory for each idle tunnel. */
const memory: Record<string, number> = {}
for (const subject of idle > 0 ? installed : []) {
  process.stderr.write(`${idle} idle tunnels · ${subject.name}\n`)
  const { port, child } = await start(subject, 'idle-')
  // So that what the first requests compile and keep is not counted.
  for (const tunnel of await openAll(port, 64, step)) tunnel.stop()
  await delay(1000)
  const before = memoryOf(child.pid)
  const opened = await openAll(port, 64, idle)
  await delay(2000)
  memory[subject.name] = ((memoryOf(child.pid) - before) * 1024) / idle
  if (opened.some(({ isBroken }) => isBroken)) throw new Error(`${subject.name} closed idle tunnels`)
  for (const tunnel of opened) tunnel.stop()
  await child.stop()
}

saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { rounds, seconds, idle },
  scenarios: measured,
  memory,
})
const middle = (samples: readonly Sample[], figure: keyof Sample) =>
  spread(samples.map((sample) => sample[figure])).median
for (const [scenario, samples] of Object.entries(measured)) {
  const rows = installed.map(({ name, title }) => [
    title,
    middle(samples[name]!, 'messagesPerSecond').toFixed(0),
    middle(samples[name]!, 'cpuPerMessage').toFixed(1),
    middle(samples[name]!, 'cpuPerMebibyte').toFixed(2),
  ])
  const heads = [`Frames of ${scenario}`, 'echoed a second', 'CPU µs each', 'CPU ms per MiB']
  process.stdout.write(`${markdownTable(heads, rows)}\n\n`)
}
if (idle > 0) {
  const rows = installed.map(({ name, title }) => [title, memory[name]!.toFixed(1)])
  process.stdout.write(`${markdownTable([`${idle} idle tunnels`, 'KiB each'], rows)}\n`)
}
process.exit()
