// Weights 5:1:1 come out as a a b a c a a: the small ones never in a row, the big one never for long.
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
