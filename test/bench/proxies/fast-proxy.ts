// With undici, which its README recommends for throughput, in place of its default http.Agent.
import fastProxy from 'fast-proxy'
import { createServer } from 'node:http'
import { origin, serve } from './serve.ts'

const fast = fastProxy({ base: origin, undici: true })
serve(createServer((request, response) => fast.proxy(request, response, request.url!, {})))
