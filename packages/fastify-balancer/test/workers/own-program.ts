import Fastify from 'fastify'
import balancer from '../../src/index.ts'
import { workers } from '../../src/workers/workers.ts'

await workers(
  async ({ restart }) => {
    const app = Fastify()
    await app.register(balancer, {
      backends: [process.env.BACKEND!],
      healthCheck: false,
      admin: { insecure: true, restart },
    })
    await app.listen({ port: 0 })
    return app
  },
  { count: Number(process.env.WORKERS) },
)
