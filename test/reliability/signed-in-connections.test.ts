import assert from 'node:assert/strict'
import { Agent, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import balancer, { type BalancerOptions, type Policy } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { startApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

/** A server that signs in connections, as IIS does: whoever speaks over one later is who has signed in. */
async function startSigningIn(t: TestContext, scheme: string, names: readonly string[] = ['a']) {
  const users = new WeakMap<Socket, string>()
  const challenged = new WeakSet<Socket>()
  const answer = (incoming: IncomingMessage, response: ServerResponse) => {
    const { socket, headers } = incoming
    incoming.resume()
    const [said, token = ''] = (headers.authorization ?? '').split(' ')
    if (said === scheme && token === 'hello') {
      challenged.add(socket)
      response.writeHead(401, { 'www-authenticate': `${scheme} challenge` }).end()
      return
    }
    if (said === scheme && challenged.has(socket)) users.set(socket, token)
    const user = users.get(socket)
    if (user === undefined) response.writeHead(401, { 'www-authenticate': scheme }).end('nobody')
    else response.end(user)
  }
  return Promise.all(names.map((name) => startBackend(t, answer, name)))
}

interface Heard {
  readonly status: number
  readonly body: string
}

/** A client with one connection of its own. */
function client(t: TestContext, url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const get = (authorization?: string) =>
    new Promise<Heard>((resolve, reject) => {
      ask(url, { agent, headers: authorization === undefined ? {} : { authorization } }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode!, body }))
      })
        .on('error', reject)
        .end()
    })
  return {
    get,
    leave: () => agent.destroy(),
    async signIn(scheme: string, name: string) {
      assert.equal((await get()).status, 401)
      assert.equal((await get(`${scheme} hello`)).status, 401)
      return get(`${scheme} ${name}`)
    },
  }
}

async function start(t: TestContext, scheme: string, options: BalancerOptions = {}, names?: readonly string[]) {
  const backends = await startSigningIn(t, scheme, names)
  const { app, url } = await startApp(t, { backends: backends.map((backend) => backend.url), ...options })
  return { backends, app, url }
}

for (const scheme of ['NTLM', 'Negotiate']) {
  describe(`a connection that a client has signed in over by ${scheme}`, () => {
    for (const lane of ['raw', 'full'] as const) {
      test(`is its own, and nobody else's (${lane} lane)`, async (t) => {
        const { url } = await start(t, scheme, { lane })
        const [ann, bob, eve] = [client(t, url), client(t, url), client(t, url)]
        assert.deepEqual(await ann.signIn(scheme, 'ann'), { status: 200, body: 'ann' })
        assert.deepEqual(await bob.signIn(scheme, 'bob'), { status: 200, body: 'bob' })
        for (let count = 0; count < 5; count++) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          assert.equal((await eve.get()).status, 401)
          // oxlint-disable-next-line no-await-in-loop -- the same
          assert.deepEqual([(await ann.get()).body, (await bob.get()).body], ['ann', 'bob'])
        }
        const together = await Promise.all([ann, bob, eve].map((one) => one.get()))
        assert.deepEqual(
          together.map(({ body }) => body),
          ['ann', 'bob', 'nobody'],
        )
      })
    }

    test('stays at its backend, also where a policy binds its client to another', async (t) => {
      const last: Policy = {
        name: 'bound-to-the-last',
        over(available) {
          const choose = () => available.at(-1)
          return { pick: choose, peek: choose, bound: choose }
        },
      }
      const { app, url } = await start(t, scheme, { policy: last }, ['a', 'b'])
      const ann = client(t, url)
      assert.deepEqual(await ann.signIn(scheme, 'ann'), { status: 200, body: 'ann' })
      assert.deepEqual(await ann.get(), { status: 200, body: 'ann' })
      const [first, other] = app.balancer.backends
      app.balancer.veto(other!, { by: 'test', reason: 'tried last' })
      const bob = client(t, url)
      assert.equal((await bob.signIn(scheme, 'bob')).body, 'bob')
      app.balancer.backend(other!.id).vetoes[0]!.lift()
      assert.equal((await bob.get()).body, 'bob')
      assert.equal(first!.requests, 4)
    })

    test('stays at its backend, whatever the policy would choose', async (t) => {
      const { url } = await start(t, scheme, {}, ['a', 'b', 'c'])
      const ann = client(t, url)
      assert.deepEqual(await ann.signIn(scheme, 'ann'), { status: 200, body: 'ann' })
      for (let count = 0; count < 5; count++) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        assert.equal((await ann.get()).body, 'ann')
      }
    })

    test('is closed when its client leaves', async (t) => {
      const { url, backends, app } = await start(t, scheme)
      const ann = client(t, url)
      await ann.signIn(scheme, 'ann')
      assert.equal(backends[0]!.sockets.size, 1)
      ann.leave()
      await until('it is closed', () => backends[0]!.sockets.size === 0)
      assert.equal(app.balancer.backends[0]!.pool.stats.connected, 0)
      assert.equal((await client(t, url).get()).status, 401)
    })

    test('that a request of its client was lost on is opened anew, signed out', async (t) => {
      const { url, backends } = await start(t, scheme)
      const ann = client(t, url)
      await ann.signIn(scheme, 'ann')
      for (const socket of backends[0]!.sockets) socket.destroy()
      assert.equal((await ann.get()).status, 401)
      assert.deepEqual(await ann.signIn(scheme, 'ann'), { status: 200, body: 'ann' })
    })

    test('gives way where all places are taken by clients that are idle', async (t) => {
      const { url } = await start(t, scheme, { pool: { connections: 1 } })
      const [ann, eve] = [client(t, url), client(t, url)]
      await ann.signIn(scheme, 'ann')
      assert.equal((await eve.get()).status, 401)
      assert.equal((await ann.get()).status, 401)
    })

    test('is closed at once for clients over HTTP/2, which share theirs', async (t) => {
      const [backend] = await startSigningIn(t, scheme)
      const app = Fastify({ http2: true })
      await app.register(balancer, { backends: [backend!.url] })
      t.after(() => app.close())
      const url = await (app as unknown as FastifyInstance).listen({ port: 0, host: '127.0.0.1' })
      const session = connectHttp2(url)
      t.after(() => session.destroy())
      const get = (authorization?: string) =>
        new Promise<number>((resolve, reject) => {
          const stream = session.request({ ':path': '/', ...(authorization !== undefined && { authorization }) })
          let status = 0
          stream.on('response', (headers) => (status = headers[':status'] ?? 0))
          stream
            .on('error', reject)
            .resume()
            .on('close', () => resolve(status))
        })
      for (const authorization of [undefined, `${scheme} hello`, `${scheme} ann`, undefined]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        assert.equal(await get(authorization), 401)
      }
      await until('no connection is left', () => backend!.sockets.size === 0)
    })
  })
}

test('Basic and Bearer bind nobody', async (t) => {
  let connections = 0
  const backend = await startBackend(t, (_, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="negotiated", Bearer' }).end(),
  )
  backend.server.on('connection', () => connections++)
  const { url } = await startApp(t, { backends: [backend.url] })
  for (const authorization of ['Basic bnRsbQ==', 'Bearer ntlm', undefined]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await client(t, url).get(authorization)).status, 401)
  }
  assert.equal(connections, 1)
})
