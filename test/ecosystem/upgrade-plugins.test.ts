import balancer from '@fastify-balancer/balancer-core'
import httpProxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { rawClient } from '../support/raw.ts'
import { handshake } from '../support/upgrade-backend.ts'
import { openWebSocket, say, startEchoBackend } from '../support/websockets.ts'

failOnCrash()

/** What listens for upgrades on one server, by name. */
const plugins = {
  async balancer(app: FastifyInstance, backend: string) {
    await app.register(balancer, { backends: [backend], prefix: '/balanced', drainDeadline: 20 })
    app.all('/mine', (_request, reply) => reply.forward())
  },
  async websocket(app: FastifyInstance) {
    await app.register(websocket)
    app.get('/own', { websocket: true }, (socket) => {
      socket.on('message', (data: Buffer) => socket.send(`own:${data.toString()}`))
    })
  },
  async 'http-proxy'(app: FastifyInstance, backend: string) {
    await app.register(httpProxy, { upstream: backend, prefix: '/proxied', websocket: true })
  },
  async 'socket.io'(app: FastifyInstance) {
    const server = new Server(app.server, { serveClient: false })
    server.on('connection', (socket) => socket.on('ask', (text, answer) => answer(`io:${text}`)))
    app.addHook('preClose', async () => server.local.disconnectSockets(true))
  },
} as const

type Name = keyof typeof plugins
const names = Object.keys(plugins) as Name[]

function permutations(list: readonly Name[]): Name[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((first) => permutations(list.filter((one) => one !== first)).map((rest) => [first, ...rest]))
}

async function start(t: TestContext, order: readonly Name[], backend: string) {
  const app = Fastify()
  const hooks = new Map<string, number>()
  app.addHook('onRequest', async ({ url }) => void hooks.set(url, (hooks.get(url) ?? 0) + 1))
  for (const name of order) await plugins[name](app, backend)
  return { hooks, ...(await listenApp(t, app)) }
}

/** Asks over socket.io. */
async function askSocketIo(t: TestContext, url: string, transport: 'websocket' | 'polling'): Promise<string> {
  const socket = io(url, { transports: [transport], forceNew: true, reconnection: false })
  t.after(() => socket.disconnect())
  const answer = (await socket.emitWithAck('ask', 'hello')) as string
  // It would be a long time in leaving a server that closes.
  if (transport === 'polling') socket.disconnect()
  return answer
}

/** What comes back to a request for `h2c` with a body, and to another one on the same connection. */
async function askH2c(t: TestContext, port: number, path: string): Promise<string> {
  const client = await rawClient(t, port)
  const own = 'host: a.example\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n'
  client.send(`POST ${path} HTTP/1.1\r\n${own}content-length: 5\r\n\r\nhello`)
  return client.until(/hello/)
}

async function statusOf(t: TestContext, port: number, path: string): Promise<string> {
  const client = await rawClient(t, port)
  client.send(handshake(path))
  return (await client.closed()).slice(0, 12)
}

const orders: readonly (readonly Name[])[] = [
  ['balancer'],
  ...names.slice(1).flatMap((name) => permutations(['balancer', name])),
  ...permutations(['balancer', 'http-proxy', 'socket.io']),
  ...permutations(names),
]

describe('upgrades beside other plugins on one server', { concurrency: 4 }, () => {
  for (const order of orders)
    test(order.join(', '), async (t) => {
      const backend = await startEchoBackend(t, { name: 'backend' })
      const { app, port, url, hooks } = await start(t, order, backend.url)
      const speaks = async (path: string, answer: string) => {
        assert.equal(await say(await openWebSocket(t, `${url}${path}`), 'hello'), answer)
        assert.equal(hooks.get(path), 1, `hooks of ${path}`)
      }
      await speaks('/balanced/chat?a=1', 'backend:hello')
      await speaks('/mine', 'backend:hello')
      if (order.includes('websocket')) await speaks('/own', 'own:hello')
      // It takes over the routes of all plugins behind it.
      const isIntact = !order.includes('websocket') || order.indexOf('http-proxy') < order.indexOf('websocket')
      if (order.includes('http-proxy') && isIntact) await speaks('/proxied/chat', 'backend:hello')
      // @fastify/websocket answers 404 to its WebSockets, with or without a balancer.
      const transport = order.includes('websocket') ? 'polling' : 'websocket'
      if (order.includes('socket.io')) assert.equal(await askSocketIo(t, url, transport), 'io:hello')
      assert.match(await askH2c(t, port, '/balanced/h2c'), /^HTTP\/1\.1 200 /)
      assert.equal(hooks.get('/balanced/h2c'), 1)
      // socket.io ends what nobody has answered after a second, without an answer.
      if (order.includes('websocket') || !order.includes('socket.io'))
        assert.equal(await statusOf(t, port, '/unknown'), 'HTTP/1.1 404')
      assert.equal((await ask(`${url}/balanced/plain`, { method: 'POST', body: 'plain' })).body, 'plain')
      assert.equal((await app.inject({ method: 'POST', url: '/mine', payload: { a: 1 } })).body, '{"a":1}')
      await app.close()
    })
})
