import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import adminRoutes from '../../src/index.ts'

const [persist] = process.argv.slice(2)
const app = Fastify()
await app.register(balancer, { backends: ['http://127.0.0.1:1'] })
await app.register(adminRoutes, { insecure: true, persist: persist! })
console.log(`listening ${await app.listen({ port: 0, host: '127.0.0.1' })}`)
