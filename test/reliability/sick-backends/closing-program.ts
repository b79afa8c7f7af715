// A balancer with all its checks, in a process of its own: everything that could be under way is when it closes. Its clock
// is one whose timers do keep the process alive. It tells how many were set before it closed, and how many after.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createNetServer, type Server, type Socket } from 'node:net'
import { listen } from '../../support/backend.ts'
import { until } from '../../support/until.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
async function start(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  return listen(server)
}
// HEAD is a probe.
const answers = (status: number, headers = {}): RequestListener => {
  return ({ method }, response) => void response.writeHead(method === 'HEAD' ? 200 : status, headers).end()
}

const backends = {
  well: await start(createServer(answers(200))),
  failing: await start(createServer(answers(500))),
  gateway: await start(createServer(answers(502))),
  pressed: await start(createServer(answers(503, { 'retry-after': '60' }))),
  silent: await start(createNetServer()),
}
const timers = new Set<unknown>()
const clock = {
  now: () => performance.now(),
  setTimeout(callback: () => void, delay: number) {
    const timer = setTimeout(() => {
      timers.delete(timer)
      callback()
    }, delay)
    timers.add(timer)
    return timer
  },
  clearTimeout(timer: unknown) {
    timers.delete(timer)
    clearTimeout(timer as NodeJS.Timeout | undefined)
  },
}

const app = Fastify()
await app.register(balancer, {
  backends: Object.entries(backends).map(([id, url]) => ({ id, url })),
  clock,
  slowStart: 60_000,
  healthCheck: { interval: 60_000, timeout: 3000, outliers: { ejectFor: 60_000, maxEjected: 1 } },
  circuitBreaker: { failures: 2, openFor: 60_000 },
})
const url = await app.listen({ port: 0, host: '127.0.0.1' })
while (app.balancer.set.available.length > 1) await (await fetch(url)).arrayBuffer()
const by = app.balancer.backends.map(({ vetoes }) => vetoes.map((veto) => veto.by).join(' and '))
assert.deepEqual(by, ['', 'outlier-detection', 'circuit-breaker', 'pressure', 'health-check'])
// Probes are under way while it closes.
void app.healthCheck.probe('silent')
const { size } = sockets
void app.balancer.add(backends.silent.replace('127.0.0.1', 'localhost')).catch(() => {})
await until('both are asked', () => sockets.size >= size + 2)

const before = timers.size
await app.close()
for (const socket of sockets) socket.destroy()
for (const server of servers) server.close()
console.log(`closed: ${before} timers before, ${timers.size} after`)
