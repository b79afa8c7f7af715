// Everything for operators: dashboard, admin API, metrics, and load shedding when the process is overloaded. Open
// $address/_balancer/dashboard/ and sign in as operator or as viewer; the password is `open sesame`. Changes are saved
// in a file and restored after a restart.
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import balancer from 'fastify-balancer'
import { hash, timingSafeEqual } from 'node:crypto'
import { backends } from './stage/backends.ts'

const digest = (text: string) => hash('sha256', text, 'buffer')
const password = process.env.PASSWORD ?? 'open sesame'

/** Basic authentication for these users: browsers ask for the password and send it with every request of the page. */
function users(...names: string[]) {
  const expected = names.map((name) => digest(`Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`))
  return async ({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const given = digest(headers.authorization ?? '')
    if (expected.some((one) => timingSafeEqual(one, given))) return
    // A user who is signed in, but not allowed, is not asked for the password again.
    if (headers.authorization !== undefined && names.length === 1)
      await reply.code(403).send({ message: 'only for operators' })
    else await reply.code(401).header('www-authenticate', 'Basic realm="balancer"').send({ message: 'sign in first' })
  }
}

const app = Fastify()
await app.register(balancer, {
  backends,
  admin: {
    onRequest: users('operator', 'viewer'),
    operate: { onRequest: users('operator') },
    allow: ['127.0.0.0/8'],
    ...(process.env.PERSIST !== undefined && { persist: process.env.PERSIST }),
  },
  dashboard: {},
  metrics: { onRequest: users('operator', 'viewer') },
  underPressure: { maxEventLoopDelay: 1000 },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
