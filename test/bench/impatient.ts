// Many more clients than backends can serve, each of which asks again as soon as it is refused: how many are served?
import { fileURLToPath } from 'node:url'
import { integer, path, readArguments } from './arguments.ts'
import { Child } from './child.ts'
import { cpuTime } from './cpu-time.ts'
import { haproxyVersion, startHaproxy } from './haproxy.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { startNodeProgram, type RunningServer } from './node-program.ts'
import { leaveProxyCore, loadWorkers } from './pinning.ts'
import { resultsFile, saveResults } from './results.ts'
import { spread } from './statistics.ts'
import { programVersion } from './versions.ts'
import { makeWorkplace } from './workplace.ts'

const { rounds, seconds, clients, places, wait, output } = readArguments(
  {
    name: 'impatient.ts',
    does: 'Lets many clients ask for more than backends can do, beside HAProxy with the same limits.',
    more: 'Needs wrk and HAProxy.',
  },
  {
    rounds: integer('Measured rounds, after one to warm up', { default: 5 }),
    seconds: integer('How long each subject is measured in a round', { default: 10 }),
    clients: integer('Clients at once', { default: 2000 }),
    places: integer('Requests at once that each of the three backends takes', { default: 20 }),
    wait: integer('How long a backend takes for one, in ms, on average', { default: 50 }),
    output: path('Where the results go, as JSON', resultsFile('impatient')),
  },
)

/** What wrk has counted. */
interface Count {
  readonly served: number
  readonly refused: number
  readonly seconds: number
  readonly broken: number
}

async function count({ port, child }: RunningServer) {
  const script = fileURLToPath(new URL('./load/impatient.lua', import.meta.url))
  const size = ['--threads', String(loadWorkers), '--connections', String(clients), '--timeout', '10s']
  const url = `http://127.0.0.1:${port}/wait/${wait}`
  const before = cpuTime(child.pid)
  const wrk = new Child('wrk', [...size, '--duration', `${seconds}s`, '--script', script, url], { side: 'load' })
  const text = await wrk.finished()
  const counted = JSON.parse(text.slice(text.lastIndexOf('\n{') + 1)) as Count
  const busy = (cpuTime(child.pid) - before) / counted.seconds
  return { served: counted.served / counted.seconds, refused: counted.refused / counted.seconds, busy }
}

requireLinux()
if (haproxyVersion() === undefined || programVersion('wrk', '-v') === undefined)
  throw new Error('HAProxy and wrk must be installed')
leaveProxyCore()
const directory = makeWorkplace()
const started = await Promise.all([1, 2, 3].map(() => startNodeProgram('load', 'waiting.ts', [])))
const ports = started.map(({ port }) => port)
const origins = ports.map((port) => `http://127.0.0.1:${port}`)
const subjects = {
  'fastify-balancer': await startNodeProgram('proxy', 'ours-limited.ts', [...origins, `--places=${places}`]),
  HAProxy: await startHaproxy(ports, directory, { listen: [`default-server maxconn ${places}`, 'timeout queue 1s'] }),
}
const samples = Object.entries(subjects).map(([name, server]) => ({
  name,
  server,
  figures: [] as Awaited<ReturnType<typeof count>>[],
}))
for (let round = 0; round <= rounds; round++)
  for (const { server, figures } of samples) {
    const figure = await count(server)
    if (round > 0) figures.push(figure)
  }

const median = (values: readonly number[]) => spread(values).median
const results = samples.map(({ name, figures }) => ({
  name,
  served: median(figures.map(({ served }) => served)),
  refused: median(figures.map(({ refused }) => refused)),
  busy: median(figures.map(({ busy }) => busy)),
}))
const ratio = median(samples[0]!.figures.map(({ served }, round) => served / samples[1]!.figures[round]!.served))
saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { rounds, seconds, clients, places, wait },
  haproxy: haproxyVersion(),
  results,
  ratio,
})
for (const { name, served, refused, busy } of results)
  process.stdout.write(
    `${name}: ${served.toFixed(0)} served and ${refused.toFixed(0)} refused a second, ${(busy * 100).toFixed(0)} % of a core\n`,
  )
process.stdout.write(`Served, as a share of what HAProxy serves: ${ratio.toFixed(3)}\n`)
process.exit()
