// A backend that takes its time: `/wait/N` answers after N ms more or less, `/close` at once, and closes the connection.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { payload, whoPath } from '../scenarios.ts'
import { serve } from './serve.ts'

const answer = payload(100)
/** Spreads what it counts evenly between 0 and 1, however much of it there is. */
const spreading = (Math.sqrt(5) - 1) / 2
let count = 0

const server = createServer((request, response) => {
  const [, kind, wait] = request.url!.split('/')
  const respond = (text: string) => response.writeHead(200, { 'content-length': text.length }).end(text)
  if (request.url === whoPath) respond(String((server.address() as AddressInfo).port))
  else if (kind === 'close') {
    response.setHeader('connection', 'close')
    respond(answer)
  } else {
    // Half as long to one and a half times: otherwise, what began together would stay together.
    const delay = Number(wait) * (0.5 + ((++count * spreading) % 1))
    if (delay === 0) respond(answer)
    else setTimeout(respond, delay, answer)
  }
})
serve(server)
