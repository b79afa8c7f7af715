// The balancer with what is for operators: `--with=metrics`; `--with=admin`, which is the page too; `--with=watched`, where
// such a page is open, reading figures and events.
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { get } from 'node:http'
import { announce, origins } from './serve.ts'

const extra = process.argv.find((argument) => argument.startsWith('--with='))?.slice('--with='.length)

const app = Fastify()
await app.register(balancer, { backends: origins })
if (extra === 'metrics') await app.register(import('@fastify-balancer/metrics'))
else {
  await app.register(import('@fastify-balancer/admin-routes'), { insecure: true })
  await app.register(import('@fastify-balancer/dashboard'), { insecure: true })
}
const url = await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
if (extra === 'watched') get(`${url}/_balancer/events?type=veto,panic,figures`, (response) => void response.resume())
announce(app.server)
