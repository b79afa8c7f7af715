// Sticky sessions: a cookie names the client's first backend, and a policy of your own uses it. While a backend drains,
// its clients stay with it until the deadline; new ones go elsewhere. Try
//   curl -b jar -c jar $address
//   curl -X PUT --json '{"state":"drain","deadline":60000}' $address/_balancer/balancers/default/backends/b1/state
import Fastify from 'fastify'
import balancer, { type Backend, type PickRequest, type Policy } from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const cookie = /(?:^|;\s*)backend=([^;\s]+)/

/** New clients by round robin, known ones always to the same backend. */
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
  // Clients can read the id in the cookie: use a name, not an address.
  backends: backends.map((url, index) => ({ url, id: `b${index + 1}` })),
  policy: sticky,
  // For this example only: anybody who can reach this address may operate the balancer.
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
