// Changes what is sent and what is answered. By the time these run, hop-by-hop fields are gone and x-forwarded-* are
// set, so what they set is what crosses.
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
