// What each combination of HTTP/1.1 and HTTP/2 costs, and a call of gRPC: CPU of the proxy for each request.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { integer, path, readArguments } from './arguments.ts'
import { caddyVersion, startCaddy } from './caddy.ts'
import { cpuTime } from './cpu-time.ts'
import { h2loadVersion, runH2load, type Asking } from './load/h2load.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { startNodeProgram, type RunningServer } from './node-program.ts'
import { leaveProxyCore } from './pinning.ts'
import { call, startProtocolBackends, type ProtocolBackends } from './protocols/backends.ts'
import { resultsFile, saveResults } from './results.ts'
import { spread } from './statistics.ts'
import { makeWorkplace } from './workplace.ts'

const { rounds, seconds, output } = readArguments(
  {
    name: 'protocols.ts',
    does: 'Measures the CPU of each request: HTTP/1.1 and HTTP/2 clients and backends, GET of 100 bytes and gRPC. Needs h2load and nginx.',
  },
  {
    rounds: integer('Measured rounds, after one warm-up round', { default: 5 }),
    seconds: integer('Seconds per row and round', { default: 3 }),
    output: path('JSON file for the results', resultsFile('protocols')),
  },
)

requireLinux()
leaveProxyCore()
if (h2loadVersion() === undefined) throw new Error('h2load is not installed: Debian has it in nghttp2-client')

type Protocol = Asking['protocol']

interface Row {
  readonly title: string
  readonly client: Protocol
  readonly backend: Protocol
  readonly isCall: boolean
  readonly by: 'ours' | 'floor' | 'caddy'
}

const names = { http1: 'HTTP/1.1', h2c: 'HTTP/2' } as const
const protocols = ['http1', 'h2c'] as const
const ways: readonly Row[] = protocols.flatMap((client) =>
  protocols.map((backend) => ({
    title: `GET 100 B, ${names[client]} → ${names[backend]}`,
    client,
    backend,
    isCall: false,
    by: 'ours' as const,
  })),
)
const grpc: Row = { title: 'gRPC unary 100 B', client: 'h2c', backend: 'h2c', isCall: true, by: 'ours' }
const rows: readonly Row[] = [
  ...ways,
  grpc,
  { ...grpc, title: 'gRPC unary 100 B, no proxy: node:http2 answers itself', by: 'floor' },
  ...(caddyVersion() === undefined ? [] : [{ ...grpc, title: 'gRPC unary 100 B, Caddy', by: 'caddy' as const }]),
]

const directory = makeWorkplace()
const backends: ProtocolBackends = await startProtocolBackends(directory)

function start({ client, backend, by }: Row): Promise<RunningServer> {
  const port = backends[backend]
  if (by === 'caddy') {
    return startCaddy([port], mkdtempSync(join(directory, 'caddy-')), {
      servers: ['protocols h1 h2c'],
      transport: ['versions h2c 2'],
    })
  }
  if (by === 'floor') return startNodeProgram('proxy', 'floor-http2.ts', [])
  const listener = client === 'h2c' ? ['--http2'] : []
  return startNodeProgram('proxy', 'ours.ts', [...listener, `--protocol=${backend}`, `http://127.0.0.1:${port}`])
}

/** µs of CPU for each request. As many at a time in every row. */
async function measure({ port, child }: RunningServer, { client, isCall }: Row): Promise<number> {
  const before = cpuTime(child.pid)
  const requests = await runH2load(port, {
    protocol: client,
    path: isCall ? call.path : '/100-bytes',
    ...(isCall && { body: backends.message, headers: call.headers }),
    connections: client === 'http1' ? 64 : 8,
    streams: client === 'http1' ? 1 : 8,
    seconds,
  })
  return ((cpuTime(child.pid) - before) / requests) * 1e6
}

const servers = new Map<Row, RunningServer>()
for (const row of rows) servers.set(row, await start(row))
const samples = new Map<Row, number[]>(rows.map((row) => [row, []]))
for (let round = 0; round <= rounds; round++)
  for (const [row, server] of servers) {
    process.stderr.write(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`} · ${row.title}\n`)
    const sample = await measure(server, row)
    if (round > 0) samples.get(row)!.push(sample)
  }
await Promise.all([...servers.values()].map(({ child }) => child.stop()))

/** Round by round, how much more than the first row. */
const base = samples.get(rows[0]!)!
const ratio = (row: Row) => spread(samples.get(row)!.map((sample, round) => sample / base[round]!)).median
saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  options: { rounds, seconds },
  cpuPerRequest: Object.fromEntries(rows.map((row) => [row.title, samples.get(row)])),
})
const table = rows.map((row) => [row.title, spread(samples.get(row)!).median.toFixed(1), ratio(row).toFixed(2)])
process.stdout.write(`${markdownTable(['', 'CPU µs/request', 'of HTTP/1.1 → HTTP/1.1'], table)}\n`)
process.exit()
