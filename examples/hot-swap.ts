// Replaces the backends under traffic: the whole list or nothing; backends that stay keep their connections. Try
//   curl $address/backends
//   curl -X PUT -H 'content-type: application/json' -d '["http://127.0.0.1:3001"]' $address/backends
// Protect such a route with an authentication hook: it can send your traffic anywhere.
import Fastify from 'fastify'
import balancer, { type BackendOptions } from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, { backends })

app.get('/backends', (_request, reply) => {
  const { revision, all } = app.balancer.set
  return reply.header('etag', `"${revision}"`).send(all)
})
app.put<{ Body: (string | BackendOptions)[] }>('/backends', async (request, reply) => {
  const revision = /^"(\d+)"$/.exec(request.headers['if-match'] ?? '')?.[1]
  // An invalid list gets 400 with every fault, an outdated revision 412.
  const now = await app.balancer.setBackends(request.body, revision === undefined ? {} : { revision: Number(revision) })
  return reply.header('etag', `"${now.revision}"`).send(now.all)
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
