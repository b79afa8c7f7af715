// With an agent that keeps connections: without one it opens a connection for each request.
import { createProxyServer } from 'http-proxy-3'
import { Agent, createServer } from 'node:http'
import { origin, serve } from './serve.ts'

const proxy = createProxyServer({ target: origin, agent: new Agent({ keepAlive: true }) })
proxy.on('error', (error, _request, response) => {
  response.destroy(error)
})
const server = createServer((request, response) => proxy.web(request, response))
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head))
serve(server)
