// The balancer as in ours.ts, with default options, and one for gRPC, whose backends are the second half; when asked, they
// tell what they hold. All their timers are counted.
import balancer, { listenerDefaults, sharedBalancers, type Balancer, type Clock } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { Session } from 'node:inspector/promises'
import type { AddressInfo } from 'node:net'
import { service } from '../soak/call.ts'
import type { Figures } from '../soak/figures.ts'
import { announce, origins } from './serve.ts'

const timers = new Set<NodeJS.Timeout>()
const clock: Clock = {
  now: () => performance.now(),
  setTimeout(callback, delay) {
    const timer = setTimeout(() => {
      timers.delete(timer)
      callback()
    }, delay).unref()
    timers.add(timer)
    return timer
  },
  clearTimeout(timer) {
    timers.delete(timer as NodeJS.Timeout)
    clearTimeout(timer as NodeJS.Timeout)
  },
}

const half = origins.length / 2
const app = Fastify()
await app.register(balancer, { backends: origins.slice(0, half), clock })
await app.register(balancer, {
  name: 'calls',
  prefix: service,
  backends: origins.slice(half),
  pool: { protocol: 'h2c' },
  clock,
})
const callApp = Fastify({ http2: true, ...listenerDefaults() }) as unknown as FastifyInstance
await callApp.register(sharedBalancers, { of: app })
const listening = { port: 0, host: '127.0.0.1', backlog: 4096 }
await app.listen(listening)
await callApp.listen(listening)

function gauges({ exchanges, queue, backends, tunnels }: Balancer): Figures {
  const sum = (of: (backend: (typeof backends)[number]) => number) =>
    backends.reduce((total, backend) => total + of(backend), 0)
  return {
    exchanges,
    'queue length': queue.length,
    'in flight': sum(({ inFlight }) => inFlight),
    'on connections': sum(({ connections }) => connections.running),
    'waiting for a connection': sum(({ connections }) => connections.waiting),
    tunnels: tunnels.size,
    'places of tunnels': sum(({ tunnelPlaces }) => tunnelPlaces),
    'load in percent': sum(({ load }) => Math.round(100 * load)),
  }
}

function figures(): Figures {
  const held: Record<string, number> = { 'timers of the balancers': timers.size }
  for (const [name, one] of app.balancers)
    for (const [gauge, value] of Object.entries(gauges(one))) held[`${name}: ${gauge}`] = value
  // Sockets, servers, timers that keep the process alive.
  for (const type of process.getActiveResourcesInfo()) held[`active ${type}`] = (held[`active ${type}`] ?? 0) + 1
  return held
}

/** Takes a backend of each balancer out of rotation, with what it has, and back in. */
async function drain(): Promise<number> {
  const drained = [...app.balancers.values()].map(async (one) => {
    const { id } = one.backends[0]!
    await one.drain(id, { deadline: 100 })
    one.ready(id)
  })
  await Promise.all(drained)
  return 0
}

const answers: Record<string, () => unknown> = {
  figures,
  drain,
  'port of calls': () => (callApp.server.address() as AddressInfo).port,
  /** MiB in use, without garbage. */
  async heap() {
    // V8's flag that exposes its collector makes a running process slower for good.
    const session = new Session()
    session.connect()
    await session.post('HeapProfiler.collectGarbage')
    session.disconnect()
    return process.memoryUsage().heapUsed / 2 ** 20
  },
}

process.on('message', async (question: string) => process.send!(await answers[question]!()))
announce(app.server)
