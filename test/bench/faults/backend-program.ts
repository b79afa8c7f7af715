// One backend: it works for a while, and is told over IPC to be sick. A probe (everything but /work) it always answers
// well and at once, as a sick program often does.
import { createServer, type ServerResponse } from 'node:http'
import type { Conduct } from './backend.ts'
import { now } from '../monotonic.ts'

const [name = '', port = ''] = process.argv.slice(2)

/** ms that work takes, with a fifth more or less of it. */
const workTime = 10
const slowness = 20

const arrivals: number[] = []
let conduct: Conduct = 'normal'

const server = createServer((request, response) => {
  request.resume()
  if (request.url !== '/work') return answer(response, 200)
  arrivals.push(now())
  if (conduct === 'errors') return setTimeout(answer, 1, response, 500)
  const time = workTime * (0.8 + 0.4 * Math.random()) * (conduct === 'slow' ? slowness : 1)
  return setTimeout(answer, time, response, 200)
})
// No connection is to end by itself: that would be a fault that nobody ordered.
server.keepAliveTimeout = 3_600_000

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'x-backend': name, 'content-length': 0 }).end()
}

process.on('message', (wanted: Conduct | 'arrivals') => {
  if (wanted === 'arrivals') return process.send!(arrivals)
  conduct = wanted
  return process.send!(now())
})
process.once('disconnect', () => process.exit())
server.listen(Number(port), '127.0.0.1', 4096, () => process.send!(now()))
