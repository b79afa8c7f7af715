// One request in ten is also sent to a mirror, e.g. a new release of the backends. What it answers is discarded, and
// nothing that it does can slow or fail the originals. Set MIRROR to your own server. Try
//   curl $address/anything
//   curl $address/copies
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

/** The mirror of this example, unless MIRROR names another: it marks what it gets as a copy. */
const release = Fastify()
release.get('/*', ({ headers }) => ({ copyOf: headers['x-balancer-mirror'] }))
const to = process.env.MIRROR ?? (await release.listen({ port: 0 }))

const app = Fastify()
await app.register(balancer, {
  name: 'shop',
  backends,
  mirror: {
    to: [to],
    share: Number(process.env.SHARE ?? 0.1),
    // GET, HEAD and OPTIONS, unless you list others: a copy of a POST would place an order twice.
  },
})

app.get('/copies', () => app.mirror.views)

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => {
  void app.close()
  void release.close()
})
