// Nothing is collected on the way: an event is at the client before the next one is written, and a client that leaves
// is known to its backend at once. Try
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
  // Between two events at most; the whole may last as long as it likes.
  timeouts: { idle: 30_000, request: 0 },
  drainDeadline: 1000,
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
