// A backend in a process of its own, to be killed, or stopped and continued. Arguments: the port, its name, and how long
// it takes to answer (ms). It tells its port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [port, name, delay] = process.argv.slice(2)

// Headers and body leave as one piece: a response that has begun is there whole, whatever happens to the process.
const server = createServer((_request, response) => void setTimeout(() => response.end(name), Number(delay)))
server.listen(Number(port), '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
