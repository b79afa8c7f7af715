// Socket.IO begins with HTTP long-polling: several requests of one session, which must all reach the server that has it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import balancer, { type BalancerOptions } from 'fastify-balancer'
import Fastify from 'fastify'
import { Server } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp } from '../support/app.ts'
import { listen } from '../support/backend.ts'

failOnCrash()

const names = ['a', 'b', 'c', 'd']

/** Four servers of socket.io that tell their names, behind one balancer. */
async function start(t: TestContext, options: BalancerOptions) {
  const list = await Promise.all(
    names.map(async (id) => {
      const http = createServer()
      const server = new Server(http, { serveClient: false })
      server.on('connection', (socket) => socket.on('who', (answer: (name: string) => void) => answer(id)))
      t.after(() => server.close())
      return { url: await listen(http), id }
    }),
  )
  const app = Fastify()
  await app.register(balancer, { backends: list, healthCheck: false, drainDeadline: 20, ...options })
  return listenApp(t, app)
}

/** A client that keeps cookies, and its way from polling to a WebSocket. */
function connect(t: TestContext, url: string) {
  const client = io(url, { forceNew: true, reconnection: false, withCredentials: true })
  t.after(() => client.close())
  const upgraded = new Promise((resolve, reject) => {
    // From the first moment: the namespace may well be connected only after the upgrade.
    client.io.on('open', () => client.io.engine.once('upgrade', resolve))
    client.on('connect_error', reject)
    client.on('disconnect', reject)
  })
  return { client, upgraded }
}

const who = (client: Socket) => new Promise<string>((resolve) => void client.emit('who', resolve))

test('every client polls, and then has its WebSocket, at the one of four servers that knows it', async (t) => {
  const { app, url } = await start(t, { sticky: { cookie: 'srv', secret: ['the secret of this test'] } })
  const clients = Array.from({ length: 8 }, () => connect(t, url))
  await Promise.all(clients.map(({ upgraded }) => upgraded))
  assert.equal(app.balancer.tunnels.size, 8)
  const answered = await Promise.all(clients.map(({ client }) => who(client)))
  // Handshakes take turns, whatever comes between them.
  assert.deepEqual(answered.toSorted(), [...names, ...names].toSorted())
  const tunnels = app.balancer.backends.map(({ tunnels: { size } }) => size)
  assert.deepEqual(tunnels, [2, 2, 2, 2])
})

test('without it, no client gets past its handshake', async (t) => {
  const { url } = await start(t, { policy: 'round-robin' })
  const { upgraded } = connect(t, url)
  await assert.rejects(upgraded)
})
