import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { workers } from 'fastify-balancer/workers'

// Of servers that run already: each worker would start some of its own.
const backends = (process.env.BACKENDS ?? 'http://127.0.0.1:3001').split(',')

async function start() {
  const app = Fastify()
  await app.register(balancer, { backends })
  app.get('/pid', async () => process.pid)
  console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
  return app
}

await workers(start, { count: Number(process.env.WORKERS ?? 2) })
