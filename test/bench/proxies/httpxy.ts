// Its default agent keeps connections.
import { createProxyServer } from 'httpxy'
import { createServer } from 'node:http'
import { origin, serve } from './serve.ts'

const proxy = createProxyServer({ target: origin })
serve(
  createServer((request, response) => {
    proxy.web(request, response).catch((error: Error) => response.destroy(error))
  }),
)
