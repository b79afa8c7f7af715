// Answers as the backends do, by itself, on bare node:http: no proxy in Node can take less.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { payload, scenarios, whoPath } from '../scenarios.ts'
import { serve } from './serve.ts'

const answers = new Map<string, Buffer>(scenarios.map(({ path, download }) => [path, Buffer.from(payload(download))]))

const server = createServer((request, response) => {
  const answer = answers.get(request.url!)
  if (answer === undefined) {
    response.writeHead(404).end()
    return
  }
  const respond = () => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': answer.length })
    response.end(answer)
  }
  if (request.method === 'GET') respond()
  else request.resume().once('end', respond)
})
server.once('listening', () => {
  answers.set(whoPath, Buffer.from(String((server.address() as AddressInfo).port)))
})
serve(server)
