import { startNodeProgram } from '../node-program.ts'
import { spread, type Spread } from '../statistics.ts'
import { openers, type Kind } from './clients.ts'
import { sizes, startWorkers, ways, type Listener, type Way } from './ways.ts'

/** How many connections are kept, how often this is tried, and which listener they need. */
const crowds: readonly { kind: Kind; connections: number; trials: number; listener: Listener }[] = [
  { kind: 'HTTP/1.1', connections: 8, trials: 20, listener: 'http1' },
  { kind: 'HTTP/1.1', connections: 64, trials: 10, listener: 'http1' },
  { kind: 'HTTP/1.1', connections: 1000, trials: 3, listener: 'http1' },
  { kind: 'WebSocket', connections: 16, trials: 20, listener: 'http1' },
  { kind: 'HTTP/2', connections: 4, trials: 20, listener: 'h2c' },
  { kind: 'HTTP/2', connections: 16, trials: 20, listener: 'h2c' },
]
const orders = ['at once', 'one by one'] as const

/** How connections spread over workers. */
export interface Balance {
  readonly kind: Kind
  readonly connections: number
  /** How they were opened. */
  readonly order: (typeof orders)[number]
  readonly way: Way
  readonly workers: number
  readonly trials: number
  /** Over all trials. */
  readonly fewest: number
  readonly most: number
  /** Of the worker that has most: 1 / workers would be fair. */
  readonly busiest: Spread
  /** Trials in which a worker had none. */
  readonly withIdle: number
}

async function openAll(open: () => Promise<() => void>, count: number, order: (typeof orders)[number]) {
  if (order === 'at once') return Promise.all(Array.from({ length: count }, open))
  const opened: (() => void)[] = []
  while (opened.length < count) opened.push(await open())
  return opened
}

export async function measureBalance(): Promise<Balance[]> {
  const backend = await startNodeProgram('load', 'frames-backend.ts', [])
  const measured: Balance[] = []
  for (const way of ways)
    for (const workers of sizes)
      for (const listener of ['http1', 'h2c'] as const) {
        const { port, child } = await startWorkers({ way, workers, listener, backends: [backend.port] })
        for (const { kind, connections, trials } of crowds.filter((crowd) => crowd.listener === listener))
          for (const order of connections < 1000 ? orders : orders.slice(0, 1)) {
            process.stderr.write(`balance · ${way} ${workers} · ${connections} ${kind} ${order}\n`)
            const counts: number[][] = []
            for (let trial = 0; trial < trials; trial++) {
              await child.ask('count')
              const opened = await openAll(() => openers[kind](port), connections, order)
              counts.push(await child.ask<number[]>('count'))
              for (const close of opened) close()
            }
            measured.push({
              ...{ kind, connections, order, way, workers, trials },
              fewest: Math.min(...counts.flat()),
              most: Math.max(...counts.flat()),
              busiest: spread(counts.map((each) => Math.max(...each) / connections)),
              withIdle: counts.filter((each) => each.includes(0)).length,
            })
          }
        await child.stop()
      }
  await backend.child.stop()
  return measured
}
