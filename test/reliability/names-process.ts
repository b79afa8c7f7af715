// A balancer with probes in a process of its own, that also looks up a name of its own, as an app does that has a database.
// Arguments: its options, as JSON, and that name. It prints its address; `GET /own` says what it has found.
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import balancer, { type BalancerOptions } from 'fastify-balancer'
import Fastify from 'fastify'

const [options, own] = process.argv.slice(2)

const app = Fastify()
await app.register(balancer, JSON.parse(options!) as BalancerOptions)
app.get('/own', async () => {
  const [{ address }] = await Promise.all([lookup(own!), readFile(import.meta.filename)])
  return address
})
process.stdout.write(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
