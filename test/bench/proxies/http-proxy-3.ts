// With an agent that keeps connections: without one it opens a connection for each request.
import { createProxyServer } from 'http-proxy-3'
import { Agent, createServer } from 'node:http'
import { origin, serve } from './serve.ts'

const proxy = createProxyServer({ target: origin, agent: new Agent({ keepAlive: true }) })
proxy.on('error', (error, _request, response) => {
  response.destroy(error)
})
serve(createServer((request, response) => proxy.web(request, response)))
