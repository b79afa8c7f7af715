// The facade with its defaults on a given port, alone or as one of several workers. `--listener=`: http1, h2c or tls;
// `--reuse-port`: the socket that it listens on is its own, and the kernel shares connections out.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { Server as NetServer } from 'node:net'
import { parseArgs } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import balancer, { listenerDefaults } from 'fastify-balancer'
import { announce, origins } from './serve.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    listener: { type: 'string', default: 'http1' },
    'reuse-port': { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const certificates = new URL('../../support/certificates/', import.meta.url)
const pem = (name: string) => readFileSync(new URL(`localhost.${name}.pem`, certificates))
const https = values.listener === 'tls' && { https: { cert: pem('cert'), key: pem('key') } }

const app = Fastify({
  forceCloseConnections: true,
  ...(values.listener === 'h2c' && { http2: true }),
  ...(https === false ? listenerDefaults() : listenerDefaults(https)),
} as object) as unknown as FastifyInstance
await app.register(balancer, { backends: origins })

/** Since somebody asked last. */
let connections = 0
app.server.on('connection', () => connections++)
process.on('message', (asked) => {
  if (asked === 'count') {
    process.send!(connections)
    connections = 0
  }
  if (asked === 'close') void app.close().then(() => process.exit())
  if (asked === 'leave') leave()
})

/**
 * Not by `app.server.close`, which closes connections whose first request has not arrived; nor by `exit`, since the parent may
 * have sent a connection that has not been read yet: it gets it back before this disconnects.
 */
function leave(): void {
  NetServer.prototype.close.call(app.server, () => cluster.worker!.disconnect())
}

const place = { port: Number(values.port), host: '127.0.0.1', backlog: 4096, reusePort: values['reuse-port'] }
await app.listen(place)
announce(app.server)
