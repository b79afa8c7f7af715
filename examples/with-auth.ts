// The app's own hooks run before a request is forwarded: requests without a token never reach a backend. Plugins such
// as @fastify/bearer-auth, @fastify/jwt or @fastify/rate-limit work in the same way. Try
//   curl -i $address
//   curl -i -H 'authorization: Bearer open sesame' $address
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { hash, timingSafeEqual } from 'node:crypto'
import { backends } from './stage/backends.ts'

const digest = (text: string) => hash('sha256', text, 'buffer')
const expected = digest(`Bearer ${process.env.TOKEN ?? 'open sesame'}`)

const app = Fastify()
app.addHook('onRequest', async (request, reply) => {
  if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return
  await reply.code(401).header('www-authenticate', 'Bearer').send({ message: 'token missing or wrong' })
})
await app.register(balancer, {
  backends,
  // The token is for the balancer, not for backends.
  rewrite: { request: ({ out }) => void delete out.headers.authorization },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
