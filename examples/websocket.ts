// WebSocket connections are balanced like requests, without any option: the app's hooks decide, a backend is picked, and then
// bytes pass in both directions, until one side or a limit ends the tunnel. Try
//   curl $address/tunnels
// and in Node
//   const socket = new WebSocket('ws://127.0.0.1:PORT/chat?token=open+sesame')
//   socket.onmessage = ({ data }) => console.log(data)
//   socket.onopen = () => socket.send('hello')
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** A backend that answers each message with its name and the message. Answers its origin. */
async function startBackend(name: string): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`${name}: ${(message as Buffer).toString()}`))
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const app = Fastify()
// Browsers cannot set headers of a WebSocket: they send cookies, or a token in the query, which is not logged.
app.addHook('onRequest', async (request, reply) => {
  const { token } = request.query as { readonly token?: string }
  if (request.headers.upgrade !== undefined && token !== 'open sesame')
    await reply.code(401).send({ message: 'token missing or wrong' })
})
app.get('/tunnels', async () => [...app.balancer.tunnels])
await app.register(balancer, {
  backends: [await startBackend('a'), await startBackend('b')],
  // Closed after 10 minutes without a byte, and after 8 hours in any case, when the token has expired, too.
  upgrade: { idle: 600_000, maxAge: 8 * 3_600_000 },
  // When the app closes: after this time, clients get a close frame 1001, "going away", and connect again elsewhere.
  drainDeadline: 1000,
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close().then(() => process.exit()))
