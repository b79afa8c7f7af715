// Fastify's router is the routing table: one balancer serves a path, the other a host. Try
//   curl $address/api/users            the backend sees /users
//   curl -H 'host: shop.localhost' $address/api/users
//   curl $address/balancers
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  name: 'api',
  prefix: '/api',
  rewrite: { stripPrefix: true },
  backends: backends.slice(0, -1),
})
await app.register(balancer, {
  name: 'shop',
  constraints: { host: /^shop\./ },
  backends: backends.slice(-1),
})

// The app's own routes take precedence over the balancers.
app.get('/balancers', () => Object.fromEntries([...app.balancers].map(([name, { backends: all }]) => [name, all])))

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
