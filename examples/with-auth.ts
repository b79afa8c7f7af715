// A hook of the app's own runs before a byte leaves: whoever has no token costs no backend anything. Plugins such as
// @fastify/bearer-auth, @fastify/jwt or @fastify/rate-limit go in the same place. Try
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
  await reply.code(401).header('www-authenticate', 'Bearer').send({ message: 'who are you?' })
})
await app.register(balancer, {
  backends,
  // The token was meant for us.
  rewrite: { request: ({ out }) => void delete out.headers.authorization },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
