// Weights 5:1:1 give a a b a c a a: evenly spread, not in blocks.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  policy: 'weighted',
  backends: backends.map((url, index) => ({ url, weight: index === 0 ? 5 : 1 })),
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
