// Sticky sessions: a cookie with a token binds each client to its first backend. While a backend drains, its clients stay
// with it until the deadline; new ones go elsewhere. Try
//   curl -b jar -c jar $address
//   curl -X PUT --json '{"state":"drain","deadline":60000}' $address/_balancer/balancers/default/backends/b1/state
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  // Tokens are made of ids: with these, clients stay where they are when an address changes.
  backends: backends.map((url, index) => ({ url, id: `b${index + 1}` })),
  // The same on every instance, and known to nobody else.
  sticky: { cookie: 'backend', secret: [process.env.STICKY_SECRET ?? 'only for this example'] },
  // For this example only: anybody who can reach this address may operate the balancer.
  admin: { insecure: true },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
