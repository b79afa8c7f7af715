// The balancer as in ours.ts, with default options; when asked, it tells what it holds. All its timers are counted.
import balancer, { type Clock } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
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
  const { exchanges, queue, backends } = app.balancer
  const held: Record<string, number> = {
    exchanges,
    'queue length': queue.length,
    'in flight': backends.reduce((sum, { inFlight }) => sum + inFlight, 0),
    'timers of the balancer': timers.size,
  }
  // Sockets, servers, timers that keep the process alive.
  for (const type of process.getActiveResourcesInfo()) held[`active ${type}`] = (held[`active ${type}`] ?? 0) + 1
  return held
}

process.on('message', () => process.send!(figures()))
announce(app.server)
