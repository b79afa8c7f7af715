// A policy of your own: each user stays with one backend, by rendezvous hashing, so that a change of the list moves
// only the users of removed or added backends. Try
//   curl -H 'x-user: ada' $address
import Fastify from 'fastify'
import balancer, { type Backend, type PickRequest, type Policy } from 'fastify-balancer'
import { hash } from 'node:crypto'
import { backends } from './stage/backends.ts'

const byUser: Policy = {
  name: 'by-user',
  // Called when the set changes; unhealthy backends are not in it.
  over(available) {
    function choose({ headers }: PickRequest): Backend | undefined {
      let best: { backend: Backend; score: string } | undefined
      for (const backend of available) {
        const score = hash('sha1', `${String(headers['x-user'])} ${backend.id}`)
        if (best === undefined || score > best.score) best = { backend, score }
      }
      return best?.backend
    }
    return { pick: choose, peek: choose }
  },
}

const app = Fastify()
await app.register(balancer, { backends, policy: byUser })

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
