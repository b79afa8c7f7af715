// Streams are not buffered: each event reaches the client at once, and the backend notices at once when a client
// leaves. Try
//   curl -N $address
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const clock = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const tell = () => response.write(`data: ${new Date().toISOString()}\n\n`)
  const timer = setInterval(tell, Number(process.env.EVERY ?? 1000))
  tell()
  response.once('close', () => {
    clearInterval(timer)
    console.log('a listener has left')
  })
})
await new Promise<void>((resolve) => clock.listen(0, '127.0.0.1', resolve))
clock.unref()

const app = Fastify()
await app.register(balancer, {
  backends: [`http://127.0.0.1:${(clock.address() as AddressInfo).port}`],
  // Longest time between two events; the stream as a whole has no limit.
  timeouts: { idle: 30_000, request: 0 },
  drainDeadline: 1000,
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
