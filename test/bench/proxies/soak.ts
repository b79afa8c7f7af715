// The balancer as in ours.ts, with default options; when asked, it tells what it holds. All its timers are counted.
import balancer, { type Clock } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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

const app = Fastify()
await app.register(balancer, { backends: origins, clock })
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })

function figures(): Figures {
  const { exchanges, queue, backends, tunnels } = app.balancer
  const held: Record<string, number> = {
    exchanges,
    'queue length': queue.length,
    'in flight': backends.reduce((sum, { inFlight }) => sum + inFlight, 0),
    tunnels: tunnels.size,
    'places of tunnels': backends.reduce((sum, { tunnelPlaces }) => sum + tunnelPlaces, 0),
    'load in percent': backends.reduce((sum, { load }) => sum + Math.round(100 * load), 0),
    'timers of the balancer': timers.size,
  }
  // Sockets, servers, timers that keep the process alive.
  for (const type of process.getActiveResourcesInfo()) held[`active ${type}`] = (held[`active ${type}`] ?? 0) + 1
  return held
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is there once it is exposed
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Takes a backend out of rotation, with what it has, and back in. */
async function drain(): Promise<number> {
  const [backend] = app.balancer.backends
  const { id } = backend!
  await app.balancer.drain(id, { deadline: 100 })
  app.balancer.ready(id)
  return 0
}

const answers: Record<string, () => unknown> = {
  figures,
  drain,
  /** MiB in use, without garbage. */
  heap() {
    collectGarbage()
    return process.memoryUsage().heapUsed / 2 ** 20
  },
}

process.on('message', async (question: string) => process.send!(await answers[question]!()))
announce(app.server)
