// What the tests of @fastify/http-proxy demand of its WebSockets (v11, test/websocket*.js, test/ws-*.js, test/socket.io.js),
// asked of a balancer.
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import fastifyWebsocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen } from '../support/backend.ts'
import { openWebSocket, say, startEchoBackend, type EchoBackend } from '../support/websockets.ts'

failOnCrash()

/**
 * Its options that concern messages or reconnection, which a tunnel of bytes does not offer, with how many of its tests:
 * - `wsHooks`: onIncomingMessage, onOutgoingMessage, onConnect, onDisconnect, onReconnect, onPong (14 tests)
 * - `wsReconnect`: pings of its own, and a new connection to the backend behind the client's back (6 tests)
 * - `wsServerOptions`: the server is the backend's own; `verifyClient` is a hook of the app (1 test)
 */
const notOffered = ['wsHooks', 'wsReconnect', 'wsServerOptions'] as const

/** Its options, as far as they concern tunnels. */
interface ProxyOptions {
  readonly upstream: string
  readonly prefix?: string
  readonly rewritePrefix?: string
  readonly constraints?: BalancerOptions['constraints']
  readonly name?: string
  readonly wsClientOptions?: {
    readonly queryString?: Readonly<Record<string, string>> | ((search: string) => string)
    readonly headers?: Readonly<Record<string, string>>
  }
}

const withoutSlash = (path: string) => path.replace(/\/$/, '')

/** Says in a balancer's options what these say. */
function adapted({ upstream, prefix = '/', rewritePrefix = prefix, constraints, name, wsClientOptions }: ProxyOptions) {
  const { queryString, headers = {} } = wsClientOptions ?? {}
  return {
    backends: [upstream],
    prefix,
    drainDeadline: 20,
    ...(constraints !== undefined && { constraints }),
    ...(name !== undefined && { name }),
    rewrite: {
      request({ out }) {
        const [path, search = ''] = out.path.split('?')
        const query =
          typeof queryString === 'function'
            ? queryString(search)
            : queryString === undefined
              ? search
              : new URLSearchParams(queryString).toString()
        const below = withoutSlash(rewritePrefix) + path!.slice(withoutSlash(prefix).length)
        out.path = (below || '/') + (query === '' ? '' : `?${query}`)
        Object.assign(out.headers, headers)
      },
    },
  } satisfies BalancerOptions
}

async function start(t: TestContext, options: ProxyOptions, before: (app: FastifyInstance) => void = () => {}) {
  const app = Fastify()
  before(app)
  await app.register(balancer, adapted(options))
  return listenApp(t, app)
}

/** What a backend has been asked with, and which subprotocol it chose. */
function firstAsked({ server }: EchoBackend): Promise<[WebSocket, IncomingMessage]> {
  return once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>
}

/** Text and binary come back as they are; then the app closes, and the connection with it. */
async function echoes(socket: WebSocket, app: FastifyInstance): Promise<void> {
  for (const [text, binary] of [
    ['hello', false],
    ['fastify', true],
  ] as const) {
    const answer = once(socket, 'message') as Promise<[Buffer, boolean]>
    socket.send(binary ? Buffer.from(text) : text, { binary })
    const [data, isBinary] = await answer
    assert.deepEqual([data.toString(), isBinary], [text, binary])
  }
  await Promise.all([once(socket, 'close'), app.close()])
}

const subprotocol = { protocols: ['foo-subprotocol'], headers: { cookie: 'this is cookie' } }

const rewrites: Record<string, { options: Partial<ProxyOptions>; asked: string; expected: string; headers?: object }> =
  {
    'as it is': { options: {}, asked: '/', expected: '/' },
    'with a path and a query': { options: {}, asked: '/keep/path?a=%20b', expected: '/keep/path?a=%20b' },
    'with a query from an object': {
      options: { wsClientOptions: { queryString: { q: 'test' } } },
      asked: '/?mine=1',
      expected: '/?q=test',
    },
    'with a query from a function': {
      options: { wsClientOptions: { queryString: () => 'q=test' } },
      asked: '/',
      expected: '/?q=test',
    },
    'with another prefix': {
      options: { prefix: '/prefix', rewritePrefix: '/rewrite' },
      asked: '/prefix/some/path',
      expected: '/rewrite/some/path',
    },
    'with fields of its own': {
      options: { wsClientOptions: { headers: { myauth: 'myauth' } } },
      asked: '/',
      expected: '/',
      headers: { myauth: 'myauth' },
    },
  }

for (const [name, { options, asked, expected, headers = {} }] of Object.entries(rewrites))
  test(`text and binary, subprotocol and cookie, ${name}`, async (t) => {
    const backend = await startEchoBackend(t)
    let hooks = 0
    const { app, url } = await start(t, { upstream: backend.url, ...options }, (one) => {
      one.addHook('onRequest', async () => void hooks++)
    })
    const first = firstAsked(backend)
    const socket = await openWebSocket(t, `${url}${asked}`, subprotocol)
    const [theirs, request] = await first
    assert.equal(theirs.protocol, 'foo-subprotocol')
    assert.equal(socket.protocol, 'foo-subprotocol')
    assert.equal(request.url, expected)
    assert.partialDeepStrictEqual(request.headers, { cookie: 'this is cookie', ...headers })
    assert.equal(hooks, 1)
    await echoes(socket, app)
  })

test('several upstreams, one prefix below the other', async (t) => {
  const app = Fastify()
  const prefixes = ['/A', '/A/B', '/C/D', '/C']
  for (const prefix of prefixes) {
    const { url } = await startEchoBackend(t, { name: prefix })
    await app.register(balancer, adapted({ upstream: url, prefix, name: prefix }))
  }
  const { url } = await listenApp(t, app)
  const sockets = await Promise.all(prefixes.map((prefix) => openWebSocket(t, `${url}${prefix}`)))
  const answers = await Promise.all(sockets.map((socket) => say(socket, 'hello')))
  assert.deepEqual(
    answers,
    prefixes.map((prefix) => `${prefix}:hello`),
  )
  await Promise.all([...sockets.map((socket) => once(socket, 'close')), app.close()])
})

test('several upstreams by host', async (t) => {
  const app = Fastify()
  for (const name of ['foo', 'bar']) {
    const { url } = await startEchoBackend(t, { name })
    await app.register(balancer, adapted({ upstream: url, name, constraints: { host: name } }))
  }
  const { url } = await listenApp(t, app)
  for (const host of ['foo', 'bar'])
    assert.equal(await say(await openWebSocket(t, `${url}/?q=${host}`, { headers: { host } }), 'hi'), `${host}:hi`)
})

test('the upstream is chosen for each request, while another listener looks on', async (t) => {
  const [one, two] = await Promise.all([startEchoBackend(t, { name: 'one' }), startEchoBackend(t, { name: 'two' })])
  const app = Fastify()
  const seen: IncomingMessage[] = []
  app.server.on('upgrade', (request) => seen.push(request))
  await app.register(balancer, adapted({ upstream: one.url, prefix: '/1', name: 'one' }))
  await app.register(balancer, adapted({ upstream: two.url, prefix: '/2', name: 'two' }))
  app.get('/chosen', (request, reply) => {
    assert.equal(request.raw, seen.at(-1))
    return reply.forward({ balancer: (request.query as { by: string }).by })
  })
  const { url } = await listenApp(t, app)
  for (const by of ['one', 'two'])
    assert.equal(await say(await openWebSocket(t, `${url}/chosen?by=${by}`), 'hi'), `${by}:hi`)
  assert.equal(seen.length, 2)
})

test('an address in use fails the start', async (t) => {
  const { port } = await start(t, { upstream: 'http://127.0.0.1:1' })
  const app = Fastify()
  await app.register(balancer, adapted({ upstream: 'http://127.0.0.1:1' }))
  t.after(() => app.close())
  await assert.rejects(app.listen({ port, host: '127.0.0.1' }), /EADDRINUSE/)
})

test('who asks while the app closes gets 503', async (t) => {
  const backend = await startEchoBackend(t)
  const { app, url } = await start(t, { upstream: backend.url })
  const socket = await openWebSocket(t, url)
  const closing = app.close()
  const late = new WebSocket(url.replace('http', 'ws'))
  const [request, response] = (await once(late, 'unexpected-response')) as [{ destroy(): void }, IncomingMessage]
  assert.equal(response.statusCode, 503)
  request.destroy()
  await Promise.all([once(socket, 'close'), closing])
})

describe('a prefix to another, for WebSockets as for requests', () => {
  const cases = {
    'no prefix to /': { options: {}, below: '', to: '' },
    '/pub to /': { options: { prefix: '/pub', rewritePrefix: '/' }, below: '/pub', to: '' },
    '/pub to /public': { options: { prefix: '/pub', rewritePrefix: '/public' }, below: '/pub', to: '/public' },
  } as const
  for (const [name, { options, below, to }] of Object.entries(cases))
    test(name, async (t) => {
      const backend = Fastify()
      await backend.register(fastifyWebsocket)
      backend.route({
        method: 'GET',
        url: '/*',
        handler: async (request) => request.url,
        wsHandler: (socket, request) => void socket.on('message', () => socket.send(request.url)),
      })
      const { url: upstream } = await listenApp(t, backend)
      const { url } = await start(t, { upstream, ...options })
      for (const path of ['/', '/test', '/test/']) {
        const socket = await openWebSocket(t, `${url}${below}${path}`)
        assert.equal(await say(socket, 'x'), `${to}${path}`)
        socket.terminate()
        assert.equal((await ask(`${url}${below}${path}`)).body, `${to}${path}`)
      }
      if (below === '') return
      await assert.rejects(openWebSocket(t, `${url}/elsewhere`), /404/)
      assert.equal((await ask(`${url}/elsewhere`)).status, 404)
    })
})

test('socket.io behind it: polling first, then a WebSocket', async (t) => {
  const http = createServer()
  const server = new Server(http, { serveClient: false })
  server.on('connection', (socket) => socket.on('hello', (text: string) => socket.emit('hi', `${text} to you`)))
  const upstream = await listen(http)
  t.after(() => server.close())
  const { app, url } = await start(t, { upstream })
  const client = io(url, { forceNew: true, reconnection: false })
  t.after(() => client.close())
  const upgraded = new Promise((resolve) => {
    // From the first moment: the namespace may well be connected only after the upgrade.
    client.io.on('open', () => client.io.engine.once('upgrade', resolve))
  })
  const hi = new Promise((resolve) => void client.once('hi', resolve))
  client.emit('hello', 'world')
  assert.equal(await hi, 'world to you')
  await upgraded
  assert.equal(app.balancer.tunnels.size, 1)
  await Promise.all([new Promise((resolve) => void client.once('disconnect', resolve)), app.close()])
})

test('what is not offered is no option', async () => {
  for (const option of notOffered) {
    const app = Fastify()
    await assert.rejects(async () => {
      await app.register(balancer, { ...adapted({ upstream: 'http://127.0.0.1:1' }), [option]: {} })
    }, new RegExp(option))
  }
})
