// As its README says: one `base`, undici underneath (its default), and bodies passed through unparsed.
import replyFrom from '@fastify/reply-from'
import Fastify from 'fastify'
import { announce, origin } from './serve.ts'

const app = Fastify()
await app.register(replyFrom, { base: origin })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
app.all('/*', (_request, reply) => reply.from())
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
