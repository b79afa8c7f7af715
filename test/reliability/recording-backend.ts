// A backend in a process of its own, to be killed. It writes down every request before it answers, so that what it has
// received is known whatever happens to it. Arguments: the port, and the file to write to.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [port, file] = process.argv.slice(2)

const server = createServer((request, response) => {
  appendFileSync(file!, `${process.pid} ${request.method} ${request.url}\n`)
  request.resume()
  request.on('end', () => {
    if (request.method === 'POST') response.end('done')
    else {
      // In two parts, so that some responses have begun when the end comes.
      response.write('half ')
      setImmediate(() => response.end('and half'))
    }
  })
})
server.listen(Number(port), '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
