import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { Authority } from '../support/authority.ts'
import { startBackend } from '../support/backend.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const root = new Authority('/CN=Root')
const between = new Authority('/CN=Between', root)
const server = root.issue()
const subject = '/CN=client'
const direct = root.issue({ subject, names: [] })
const indirect = between.issue({ subject, names: [] })
const chained = { cert: indirect.cert + between.cert, key: indirect.key }
const stranger = new Authority('/CN=Stranger').issue({ subject, names: [] })

interface Client {
  readonly cert: string
  readonly key: string
}

const bytes = (pem: string) => `:${new X509Certificate(pem).raw.toString('base64')}:`

/** What clients send to look like somebody. */
const forged = {
  'Client-Cert': ':Zm9yZ2Vk:',
  client_cert: 'a',
  'client-cert-chain': ':Zm9yZ2Vk:',
  'CLIENT.CERT.CHAIN': 'b',
}

type Headers = Readonly<Record<string, string>>

async function start(t: TestContext, forwarded: BalancerOptions['forwarded'], trustProxy = false) {
  const received: Record<string, unknown>[] = []
  const backend = await startBackend(t, ({ headers }, response) => {
    received.push(Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('client'))))
    response.end()
  })
  const https = { ...server, ca: root.cert, requestCert: true, rejectUnauthorized: false, allowHTTP1: true }
  const app = Fastify({ http2: true, https, trustProxy })
  await app.register(balancer, { backends: [backend.url], ...(forwarded !== undefined && { forwarded }) })
  t.after(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, received, app: app as unknown as FastifyInstance }
}

const versions = {
  /** All over one connection. */
  async 'HTTP/1.1'(port: number, client: Client | undefined, headers: readonly Headers[]) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: root.cert, ...client })
    for (const one of headers)
      await new Promise((resolve, reject) => {
        request({ host: 'localhost', port, agent, headers: one }, (response) => response.resume().on('end', resolve))
          .on('error', reject)
          .end()
      })
    agent.destroy()
  },
  async 'HTTP/2'(port: number, client: Client | undefined, headers: readonly Headers[]) {
    const session = connect(`https://localhost:${port}`, { ca: root.cert, ...client })
    for (const one of headers) {
      const lower = Object.fromEntries(Object.entries(one).map(([name, value]) => [name.toLowerCase(), value]))
      await new Promise((resolve, reject) => {
        session.request(lower).resume().on('end', resolve).on('error', reject).end()
      })
    }
    session.destroy()
  },
} as const

for (const [version, ask] of Object.entries(versions))
  describe(version, () => {
    test('a verified certificate is sent, with those between it and the CA, and what was forged is not', async (t) => {
      const { port, received } = await start(t, { clientCert: true })
      await ask(port, direct, [{}, forged])
      assert.deepEqual(received, [{ 'client-cert': bytes(direct.cert) }, { 'client-cert': bytes(direct.cert) }])
      received.length = 0
      await ask(port, chained, [forged])
      assert.deepEqual(received, [{ 'client-cert': bytes(indirect.cert), 'client-cert-chain': bytes(between.cert) }])
    })

    test('nothing is sent without a certificate, with one that was not verified, and with the option off', async (t) => {
      const on = await start(t, { clientCert: true })
      await ask(on.port, undefined, [forged])
      await ask(on.port, stranger, [forged])
      const offs = await Promise.all([start(t, undefined), start(t, false)])
      for (const off of offs) await ask(off.port, direct, [forged])
      for (const { received } of [on, ...offs]) for (const headers of received) assert.deepEqual(headers, {})
      assert.deepEqual([on.received.length, ...offs.map(({ received }) => received.length)], [2, 1, 1])
    })

    test('a trusted peer speaks for its client, and its own certificate is not sent', async (t) => {
      for (const forwarded of [{ clientCert: true }, {}]) {
        const { port, received } = await start(t, forwarded, true)
        await ask(port, direct, [{}, { 'client-cert': ':AAAA:', 'client-cert-chain': ':BBBB:' }])
        assert.deepEqual(received, [{}, { 'client-cert': ':AAAA:', 'client-cert-chain': ':BBBB:' }])
      }
    })

    test('it is looked at once for each connection, and not at all with the option off', async (t) => {
      const count = t.mock.method(TLSSocket.prototype, 'getPeerCertificate')
      const looks = (app: FastifyInstance) =>
        count.mock.calls.filter(({ this: socket }) => (socket as { server?: unknown }).server === app.server).length
      const on = await start(t, { clientCert: true })
      const off = await start(t, {})
      await ask(on.port, direct, [{}, {}, {}])
      await ask(off.port, direct, [{}, {}])
      assert.deepEqual([looks(on.app), looks(off.app)], [1, 0])
      assert.deepEqual([on.received.length, off.received.length], [3, 2])
    })
  })
