// Changes requests and responses. These functions run last: hop-by-hop headers are removed and X-Forwarded-* are set
// before, so what they set is sent.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  backends,
  rewrite: {
    request({ in: request, out }) {
      out.path = out.path.replace(/^\/v1\//, '/')
      out.headers['x-request-id'] = request.id
      delete out.headers.cookie
    },
    response({ in: { status }, out, request }) {
      if (status === 404) out.status = 410
      out.headers['x-request-id'] = request.id
      delete out.headers['x-powered-by']
    },
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
