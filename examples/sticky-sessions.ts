// Sticky sessions: a cookie names the backend that a client began with, and a policy of your own goes by it. While a
// backend drains, its clients stay with it until the deadline; those who are new go elsewhere. Try
//   curl -b jar -c jar $address
//   curl -X PUT --json '{"state":"drain","deadline":60000}' $address/_balancer/balancers/default/backends/b1/state
import Fastify from 'fastify'
import balancer, { type Backend, type PickRequest, type Policy } from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const cookie = /(?:^|;\s*)backend=([^;\s]+)/

/** Everyone in turn, and then always the same. */
const sticky: Policy & { turn: number } = {
  name: 'sticky',
  turn: 0,
  over(available, draining = []) {
    const known = new Map([...available, ...draining].map((backend) => [backend.id, backend]))
    function own({ headers }: PickRequest): Backend | undefined {
      const id = cookie.exec(String(headers.cookie))?.[1]
      return id === undefined ? undefined : known.get(id)
    }
    return {
      pick: (request) => own(request) ?? available[this.turn++ % available.length],
      peek: (request, ahead = 0) => own(request) ?? available[(this.turn + ahead) % available.length],
    }
  },
}

const app = Fastify()
await app.register(balancer, {
  // The cookie shows an id to everybody: let it be a name, and not an address.
  backends: backends.map((url, index) => ({ url, id: `b${index + 1}` })),
  policy: sticky,
  // For this example alone: whoever reaches the address may operate it.
  admin: { insecure: true },
  rewrite: {
    response({ in: { backend }, out, request }) {
      if (cookie.exec(String(request.headers.cookie))?.[1] === backend.id) return
      const own = out.headers['set-cookie'] ?? []
      out.headers['set-cookie'] = [own, `backend=${backend.id}; Path=/; HttpOnly; SameSite=Lax`].flat().map(String)
    },
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
