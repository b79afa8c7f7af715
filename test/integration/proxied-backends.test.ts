import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import { proxyProtocol } from '@fastify-balancer/proxy-protocol'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import fullBalancer from 'fastify-balancer'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as requestHttp, type IncomingMessage } from 'node:http'
import {
  connect as connectHttp2,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { connect, Socket, type AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { localHeader, proxyHeader } from '../../packages/balancer-core/src/connections/proxy-header.ts'
import type { ProxyProtocolServer } from '../../packages/proxy-protocol/src/proxy-protocol-server.ts'
import { readHeader } from '../../packages/proxy-protocol/src/header/read-header.ts'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp, startApp } from '../support/app.ts'
import { startRawBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { handshake, switching } from '../support/upgrade-backend.ts'

failOnCrash()

/** What a backend is told of a client. */
interface Told {
  readonly connection: number
  readonly ip?: string
  readonly port?: number
}

/** A backend of bare TCP that says on which of its connections a request came, and who its header named. */
async function startTelling(t: TestContext, sockets: Socket[] = [], onRequest = (_at: Socket, _turn: number) => {}) {
  let connections = 0
  return startRawBackend(t, (socket) => {
    const connection = ++connections
    let bytes = Buffer.alloc(0)
    let told: Told | undefined
    let turn = 0
    sockets.push(socket)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (told === undefined) {
        const header = readHeader(bytes)
        if (header === undefined) return
        bytes = bytes.subarray(header.length)
        const { address: ip, port } = header.ends?.client ?? {}
        told = { connection, ...(ip !== undefined && { ip }), ...(port !== undefined && { port }) }
      }
      if (!bytes.includes('\r\n\r\n')) return
      bytes = Buffer.alloc(0)
      const body = JSON.stringify(told)
      onRequest(socket, ++turn)
      if (!socket.destroyed) socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
  })
}

/** A client with one connection from that address of this machine. */
class Client {
  readonly #agent: Agent
  port = 0

  constructor(t: TestContext, localAddress: string) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress })
    t.after(() => this.leave())
  }

  ask(port: number, headers: Record<string, string> = {}): Promise<Told> {
    return new Promise((resolve, reject) => {
      const asked = requestHttp({ port, host: '127.0.0.1', agent: this.#agent, headers }, (response) => {
        let body = ''
        response.on('data', (chunk) => (body += String(chunk)))
        response.on('end', () => resolve(JSON.parse(body) as Told))
      })
      asked.on('socket', (socket: Socket) => {
        const note = () => (this.port = socket.localPort!)
        if (socket.connecting) socket.once('connect', note)
        else note()
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  leave(): void {
    this.#agent.destroy()
  }
}

const front = (t: TestContext, url: string, more: BalancerOptions = {}, server: FastifyServerOptions = {}) =>
  startApp(t, { backends: [{ url, proxyProtocol: 'v2' }], ...more }, server)

describe('a connection to a backend with proxyProtocol', () => {
  test('belongs to one client connection, and ends with it', async (t) => {
    const sockets: Socket[] = []
    const { port } = await front(t, await startTelling(t, sockets))
    const [one, other] = [new Client(t, '127.0.0.2'), new Client(t, '127.0.0.3')]
    const answers: Told[] = []
    for (let turn = 0; turn < 3; turn++) answers.push(await one.ask(port), await other.ask(port))
    const first = { connection: 1, ip: '127.0.0.2', port: one.port }
    const second = { connection: 2, ip: '127.0.0.3', port: other.port }
    assert.deepEqual(answers, [first, second, first, second, first, second])
    one.leave()
    await until('its connection ends', () => sockets[0]!.closed)
    assert.equal((await other.ask(port)).connection, 2)
    assert.equal(sockets[1]!.closed, false)
  })

  test('gives way when there are as many as may be, and is idle', async (t) => {
    const sockets: Socket[] = []
    const { port } = await front(t, await startTelling(t, sockets), {
      pool: { connections: 1, keepAliveTimeout: 600_000 },
    })
    const [one, other] = [new Client(t, '127.0.0.2'), new Client(t, '127.0.0.3')]
    assert.deepEqual([(await one.ask(port)).ip, (await other.ask(port)).ip], ['127.0.0.2', '127.0.0.3'])
    await until('the first one is closed', () => sockets[0]!.closed)
    assert.deepEqual(await one.ask(port), { connection: 3, ip: '127.0.0.2', port: one.port })
  })

  test('says the address that the app knows; a proxy that is trusted gets one for each of its clients', async (t) => {
    const { port } = await front(t, await startTelling(t), {}, { trustProxy: true })
    const client = new Client(t, '127.0.0.2')
    const from = (address: string) => client.ask(port, { 'x-forwarded-for': address })
    assert.deepEqual(await from('192.0.2.7'), { connection: 1, ip: '192.0.2.7', port: 0 })
    assert.deepEqual(await from('192.0.2.7'), { connection: 1, ip: '192.0.2.7', port: 0 })
    assert.deepEqual(await from('2001:db8::7'), { connection: 2, ip: '2001:db8::7', port: 0 })
    assert.deepEqual(await from('unknown'), { connection: 3 })
  })

  test('is shared by the requests of one HTTP/2 client', async (t) => {
    const app = Fastify({ http2: true } as never) as unknown as FastifyInstance
    await app.register(balancer, { backends: [{ url: await startTelling(t), proxyProtocol: 'v1' }] })
    const { port } = await listenApp(t, app)
    const ask = async (localAddress: string, times: number) => {
      const session = connectHttp2(`http://127.0.0.1:${port}`, { localAddress } as object)
      t.after(() => session.destroy())
      const answers: Told[] = []
      for (let turn = 0; turn < times; turn++) {
        let body = ''
        for await (const chunk of session.request({ ':path': '/' })) body += String(chunk)
        answers.push(JSON.parse(body) as Told)
      }
      return { answers, port: session.socket.localPort }
    }
    const one = await ask('127.0.0.2', 2)
    const other = await ask('127.0.0.3', 1)
    const own = { connection: 1, ip: '127.0.0.2', port: one.port }
    assert.deepEqual(one.answers, [own, own])
    assert.deepEqual(other.answers, [{ connection: 2, ip: '127.0.0.3', port: other.port }])
  })

  test('that is opened for a retry says it, too', async (t) => {
    // The second request on the first connection finds it closed.
    const url = await startTelling(t, [], (socket, turn) => {
      if (turn === 2) socket.destroy()
    })
    const { port } = await front(t, url)
    const client = new Client(t, '127.0.0.2')
    assert.equal((await client.ask(port)).connection, 1)
    assert.deepEqual(await client.ask(port), { connection: 2, ip: '127.0.0.2', port: client.port })
  })

  test('carries requests without a connection of their own, and ends after each', async (t) => {
    const sockets: Socket[] = []
    const { app } = await front(t, await startTelling(t, sockets))
    assert.deepEqual((await app.inject('/')).json(), { connection: 1, ip: '127.0.0.1', port: 0 })
    await until('it ends', () => sockets[0]!.closed)
  })

  test('another version is another backend with the same id', async (t) => {
    const url = await startTelling(t)
    const { app } = await front(t, url)
    const [before] = app.balancer.backends
    const wanted = [{ url, proxyProtocol: 'v1' as const }]
    assert.deepEqual(
      app.balancer.preview(wanted).changed.map(({ from, to }) => [from.proxyProtocol, to.proxyProtocol]),
      [['v2', 'v1']],
    )
    await app.balancer.setBackends(wanted)
    const [after] = app.balancer.backends
    assert.notEqual(after, before)
    assert.equal(after!.toJSON().proxyProtocol, 'v1')
  })
})

/** Kinds of backends, behind this package's own receiver. */
const kinds = {
  'HTTP/1.1': { scheme: 'http', pool: {}, fastify: {} },
  'HTTP/1.1 over TLS': { scheme: 'https', pool: {}, fastify: { https: localhost } },
  h2c: { scheme: 'http', pool: { protocol: 'h2c' }, fastify: { http2: true } },
  // This one takes no WebSockets over HTTP/2.
  'HTTP/2 over TLS': {
    scheme: 'https',
    pool: { protocol: 'http2' },
    fastify: { http2: true, https: { ...localhost, allowHTTP1: true } },
  },
} as const

for (const [name, { scheme, pool, fastify }] of Object.entries(kinds))
  for (const version of ['v1', 'v2'] as const)
    test(`${name}, ${version}: the backend knows the client, and probes pass`, async (t) => {
      const behind = Fastify({
        ...fastify,
        serverFactory: proxyProtocol({ from: ['127.0.0.1'] }),
      } as never) as unknown as FastifyInstance
      behind.get('/', async ({ ip, raw }) => ({ ip, port: raw.socket.remotePort, probe: raw.headers['user-agent'] }))
      const probes: string[] = []
      behind.addHook('onRequest', async ({ ip, method }) => void (method === 'HEAD' && probes.push(ip)))
      /** Whose tunnels it has opened, and over which version of HTTP. */
      const opened: (string | undefined)[] = []
      const { server } = behind
      server.on('upgrade', ({ rawHeaders, socket, httpVersion }: IncomingMessage) => {
        opened.push(httpVersion, socket.remoteAddress, String(socket.remotePort))
        const key = rawHeaders[rawHeaders.findIndex((one) => /^sec-websocket-key$/i.test(one)) + 1]
        socket.end(`${switching(`sec-websocket-key: ${key}\r\n`)}\r\n`)
      })
      if (name === 'h2c') {
        const [http2] = (server as unknown as ProxyProtocolServer).innerServers as [Http2Server]
        http2.updateSettings({ enableConnectProtocol: true })
        http2.on('connect', ({ httpVersion, socket }: Http2ServerRequest, { stream }: Http2ServerResponse) => {
          opened.push(httpVersion, socket.remoteAddress, String(socket.remotePort))
          stream.respond({ ':status': 200 })
          stream.end()
        })
      }
      t.after(() => behind.close())
      await behind.listen({ port: 0, host: '127.0.0.1' })
      const url = `${scheme}://127.0.0.1:${(behind.server.address() as AddressInfo).port}`
      const app = Fastify()
      await app.register(fullBalancer, {
        backends: [{ url, proxyProtocol: version }],
        pool: { ...pool, tls: { ca: localhost.cert } },
      })
      const { port } = await listenApp(t, app)
      const client = new Client(t, '127.0.0.2')
      for (let turn = 0; turn < 2; turn++) {
        const { ip, port: seen } = await client.ask(port)
        assert.deepEqual({ ip, port: seen }, { ip: '127.0.0.2', port: client.port })
      }
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' })
      t.after(() => socket.destroy())
      socket.write(handshake('/'))
      const [head] = (await once(socket, 'data')) as [Buffer]
      assert.match(head.toString(), / 101 /)
      assert.deepEqual(opened, [name === 'h2c' ? '2.0' : '1.1', '127.0.0.3', String(socket.localPort)])
      socket.destroy()
      assert.equal(app.balancer.backends[0]!.available, true)
      assert.ok(probes.length > 0 && probes.every((ip) => ip === '127.0.0.1'), probes.join())
    })

test('what is written is what is read', () => {
  const ends = [
    ['192.0.2.1', '198.51.100.7', '192.0.2.1', '198.51.100.7'],
    ['::ffff:192.0.2.1', '::ffff:198.51.100.7', '192.0.2.1', '198.51.100.7'],
    ['2001:db8::1', '::1', '2001:db8::1', '::1'],
    ['fe80::1:2%eth0', '1:2:3:4:5:6:7:8', 'fe80::1:2', '1:2:3:4:5:6:7:8'],
    // Of two families.
    ['2001:db8::1', '127.0.0.1', '2001:db8::1', '::ffff:127.0.0.1'],
    ['192.0.2.1', '::1', '::ffff:192.0.2.1', '::1'],
    // A client of a proxy that connects over a Unix socket.
    ['192.0.2.1', undefined, '192.0.2.1', '0.0.0.0'],
    ['2001:db8::1', undefined, '2001:db8::1', '::'],
  ] as const
  for (const version of ['v1', 'v2'] as const) {
    for (const [client, server, from, to] of ends) {
      const header = proxyHeader(version, { address: client, port: 65_535 }, { address: server, port: 443 })
      assert.deepEqual(readHeader(header), {
        length: header.length,
        ends: {
          family: from.includes(':') ? 'IPv6' : 'IPv4',
          client: { address: from, port: 65_535 },
          server: { address: to, port: 443 },
        },
      })
    }
    for (const header of [
      localHeader(version),
      proxyHeader(version, { address: 'unknown' }, {}),
      proxyHeader(version, {}, {}),
    ])
      assert.deepEqual(readHeader(header), { length: header.length, ends: undefined })
  }
})
