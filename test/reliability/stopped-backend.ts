// A backend in a process of its own that listens, with as short a queue of connections as there is, and stops itself so
// that it accepts none: whoever connects once the queue is full waits for an answer to his first packet.
import { createServer, type AddressInfo } from 'node:net'

const server = createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.send!((server.address() as AddressInfo).port, () => process.kill(process.pid, 'SIGSTOP'))
})
process.on('disconnect', () => process.exit())
