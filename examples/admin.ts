// Operate the balancer over HTTP: view, change the list, drain, roll back, explain. One token allows reading, the other
// one changes. Without an authentication hook it would not start. Try
//   curl -H 'authorization: Bearer open sesame' $address/_balancer/balancers
//   curl -H 'authorization: Bearer open sesame' -N $address/_balancer/events
//   curl -H 'authorization: Bearer let me work' -X PUT --json '{"state":"drain"}' \
//     $address/_balancer/balancers/default/backends/<id, escaped>/state
import Fastify, { type FastifyRequest } from 'fastify'
import balancer from 'fastify-balancer'
import { hash, timingSafeEqual } from 'node:crypto'
import { backends } from './stage/backends.ts'

const digest = (text: string) => hash('sha256', text, 'buffer')

/** Accepts requests with one of these tokens. */
function bearer(...tokens: string[]) {
  const expected = tokens.map((token) => digest(`Bearer ${token}`))
  return async ({ headers }: FastifyRequest): Promise<void> => {
    const given = digest(headers.authorization ?? '')
    if (expected.some((one) => timingSafeEqual(one, given))) return
    throw Object.assign(new Error('token missing or wrong'), { statusCode: 401 })
  }
}

const viewer = process.env.VIEWER ?? 'open sesame'
const operator = process.env.OPERATOR ?? 'let me work'

const app = Fastify()
await app.register(balancer, {
  backends,
  admin: {
    read: { onRequest: bearer(viewer, operator) },
    operate: { onRequest: bearer(operator) },
    // Which backends may be added: only this machine.
    allow: ['127.0.0.0/8'],
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
