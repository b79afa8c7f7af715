// A worker that listens at two ports until it is told anything, and tells each connection its process id.
import { once } from 'node:events'
import { createServer } from 'node:net'

for (let count = 0; count < 2; count++) {
  const server = createServer((socket) => void socket.end(`${process.pid}`))
  server.listen(0, '127.0.0.1')
  // oxlint-disable-next-line no-await-in-loop -- always in this order
  await once(server, 'listening')
  process.on('message', () => server.close())
}
