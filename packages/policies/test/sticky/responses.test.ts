import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import core from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { WebSocket } from 'ws'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { localhost } from '../../../../test/support/certificates.ts'
import { startEchoBackend } from '../../../../test/support/websockets.ts'
import policiesPlugin from '../../src/index.ts'
import { Client, cookiesOf, secret, startStage, stickyPolicy } from './stage.ts'

const token = '[A-Za-z0-9_-]{43}'
const lanes = ['raw', 'full'] as const

for (const lane of lanes)
  test(`beside the cookies of the backend and of the app, ${lane} lane`, async (t) => {
    const { url } = await startStage(t, {
      options: { lane },
      before: (app) => app.addHook('onRequest', async (_request, reply) => void reply.header('set-cookie', 'app=1')),
      listener: (name) => (_request, response) => {
        response.setHeader('set-cookie', ['session=2', 'srv=of-the-backend; Path=/', 'srvx=3'])
        response.end(name)
      },
    })
    const client = new Client(url)
    const [first, second] = [await client.ask(), await client.ask()]
    const others = ['app=1', 'session=2', 'srvx=3']
    const own = cookiesOf(first).filter((one) => !others.includes(one))
    assert.deepEqual(
      cookiesOf(first)
        .filter((one) => others.includes(one))
        .toSorted(),
      others,
    )
    assert.match(own.join(), new RegExp(`^srv=${token}; Path=/; HttpOnly; SameSite=Lax$`))
    assert.deepEqual(cookiesOf(second).toSorted(), others)
    assert.equal(second.body, first.body)
  })

for (const lane of lanes)
  for (const isSecure of [true, false])
    test(`over HTTP/2, ${lane} lane, ${isSecure ? 'with' : 'without'} TLS`, async (t) => {
      const { url } = await startStage(t, {
        options: { lane },
        server: { http2: true, ...(isSecure && { https: localhost }) } as never,
        listener: (name) => (request, response) => {
          response.setHeader('set-cookie', ['session=2', 'other=3'])
          response.end(`${name} ${request.headers.cookie}`)
        },
      })
      const session = connect(url, { ca: localhost.cert })
      t.after(() => session.destroy())
      const answer = async (headers: object) => {
        const stream = session.request({ ':path': '/', ...headers })
        const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders]
        return { cookies: answered['set-cookie'] ?? [], body: Buffer.concat(await stream.toArray()).toString() }
      }
      const first = await answer({})
      const own = first.cookies.find((one) => one.startsWith('srv='))!
      assert.equal(own.endsWith('; Secure'), isSecure)
      assert.deepEqual(first.cookies, ['session=2', 'other=3', own])
      // As browsers send them: one field for each.
      const second = await answer({ cookie: ['a=1', own.split(';')[0]!, 'b=2'] })
      assert.deepEqual(second, { cookies: ['session=2', 'other=3'], body: 'a a=1; b=2' })
    })

test('backends do not see the token, and get all other cookies', async (t) => {
  const { url } = await startStage(t, {
    listener: () => (request, response) => response.end(JSON.stringify(request.headers.cookie ?? null)),
  })
  const client = new Client(url)
  await client.ask()
  const own = client.cookie
  for (const [sent, received] of [
    [own, null],
    ['', ''],
    [`a=1; ${own}; b="2"`, 'a=1; b="2"'],
    ['a=%20b; c;d="e"', 'a=%20b; c;d="e"'],
    ['srv=forged; a=1', 'a=1'],
  ] as const)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal(JSON.parse((await ask(url, { headers: { cookie: sent } })).body), received)
  const several = await ask(url, { headers: ['host', 'a.example', 'cookie', 'a=1', 'cookie', own, 'cookie', 'b=2'] })
  assert.equal(JSON.parse(several.body), 'a=1; b=2')
})

test('a cookie that `rewrite.request` sets is sent', async (t) => {
  const { url } = await startStage(t, {
    options: { rewrite: { request: ({ out }) => void (out.headers['cookie'] += '; added=1') } },
    listener: () => (request, response) => response.end(request.headers.cookie),
  })
  const client = new Client(url)
  await ask(url)
  client.cookies.set('a', '1')
  await client.ask()
  assert.equal((await client.ask()).body, 'a=1; added=1')
})

test('the attributes of the cookie', async (t) => {
  const cases = [
    [{}, '; Path=/; HttpOnly; SameSite=Lax'],
    [{ secure: true, sameSite: 'none' }, '; Path=/; HttpOnly; SameSite=None; Secure'],
    [{ path: '/app', sameSite: 'strict' }, '; Path=/app; HttpOnly; SameSite=Strict'],
    [
      { domain: 'example.com', maxAge: 3_600_000, secure: false },
      '; Path=/; Domain=example.com; Max-Age=3600; HttpOnly; SameSite=Lax',
    ],
    [{ maxAge: 1 }, '; Path=/; Max-Age=1; HttpOnly; SameSite=Lax'],
  ] as const
  for (const [settings, attributes] of cases) {
    const { url } = await startStage(t, { settings: { cookie: 'lb.1', ...settings } })
    const [cookie] = cookiesOf(await ask(url))
    assert.match(cookie!, new RegExp(`^lb\\.1=${token}${attributes}$`))
  }
})

test('`Secure` follows the protocol that a trusted proxy names', async (t) => {
  const { url } = await startStage(t, { server: { trustProxy: '127.0.0.1' } })
  for (const protocol of ['https', 'http']) {
    const [cookie] = cookiesOf(await ask(url, { headers: { 'x-forwarded-proto': protocol } }))
    assert.equal(cookie!.endsWith('; Secure'), protocol === 'https')
  }
})

test('a response with a token is for no shared cache, one without as the backend says', async (t) => {
  const { url } = await startStage(t, {
    listener: () => (request, response) => {
      const { 'x-say': say } = request.headers
      if (say !== undefined) response.setHeader('cache-control', say)
      response.end()
    },
  })
  for (const [said, told] of [
    [undefined, 'private'],
    ['public, max-age=60', 'public, max-age=60, private'],
    ['max-age=60,private', 'max-age=60,private'],
    ['no-store', 'no-store'],
    ['x-private-thing', 'x-private-thing, private'],
    // A cache may keep these without one field.
    ['private="x-user"', 'private="x-user", private'],
    ['no-cache="a, private"', 'no-cache="a, private", private'],
  ]) {
    const client = new Client(url)
    const headers = said === undefined ? {} : { 'x-say': said }
    assert.equal((await client.ask('/', { headers })).headers['cache-control'], told)
    assert.equal((await client.ask('/', { headers })).headers['cache-control'], said)
  }
})

for (const lane of lanes)
  test(`after a retry, the client is bound to the backend whose response it gets, ${lane} lane`, async (t) => {
    const { url } = await startStage(t, {
      options: { lane, retry: { attempts: 2, statuses: [500], budget: { floor: 100 } } },
      listener: (name) => (request, response) => {
        if (name === 'a') request.socket.destroy()
        else response.writeHead(name === 'b' ? 500 : 200).end(name)
      },
    })
    const client = new Client(url)
    const first = await client.ask()
    assert.deepEqual([first.body, cookiesOf(first).length], ['c', 1])
    const second = await client.ask()
    assert.deepEqual([second.body, cookiesOf(second).length], ['c', 0])
  })

for (const lane of lanes)
  test(`a failure of ours binds nobody, ${lane} lane`, async (t) => {
    let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => {}
    const { url, balancer } = await startStage(t, {
      options: {
        lane,
        retry: false,
        rewrite: {
          response({ request }) {
            if (request.url === '/rewritten') throw new Error('of the app')
          },
        },
      },
      listener: () => (request, response) => void answer(request, response),
    })
    const failed = async (path: string, status: number) => {
      const { status: got, headers } = await ask(url + path)
      assert.deepEqual([got, headers['set-cookie'], headers['cache-control']], [status, undefined, undefined], path)
    }
    answer = (_request, response) => response.end('fine')
    await failed('/rewritten', 500)
    answer = (request) => request.socket.destroy()
    await failed('/', 502)
    if (lane === 'full') {
      // Its head has come, and nothing was sent yet.
      answer = (_request, response) => {
        response.setHeader('content-length', 10)
        response.write('half', () => setImmediate(() => response.destroy()))
      }
      await failed('/', 502)
    }
    for (const backend of balancer.backends) balancer.veto(backend, { by: 'test', reason: 'closed', hard: true })
    await failed('/', 503)
  })

test('a response by `reply.forward()` binds, too', async (t) => {
  const { url } = await startStage(t, {
    options: { route: false },
    before: (app) =>
      app.get('/own', async (_request, reply) => {
        reply.header('set-cookie', 'app=1')
        return reply.forward()
      }),
  })
  const client = new Client(url)
  const first = await client.ask('/own')
  assert.deepEqual([...client.cookies.keys()].toSorted(), ['app', 'srv'])
  for (let round = 0; round < 3; round++) assert.equal(await client.backend('/own'), first.body)
})

/** Opens a WebSocket; answers the cookies of its 101, and the name of the backend. */
async function opened(t: TestContext, url: string, cookie?: string) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers: cookie === undefined ? {} : { cookie } })
  t.after(() => socket.terminate())
  const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>
  await once(socket, 'open')
  socket.send('')
  const [text] = (await once(socket, 'message')) as [Buffer]
  return { cookies: (await upgraded)[0].headers['set-cookie'] ?? [], name: text.toString().slice(0, 1) }
}

test('the response that opens a WebSocket binds, and a WebSocket goes where its client is bound to', async (t) => {
  const names = ['a', 'b', 'c']
  const backends = await Promise.all(names.map((name) => startEchoBackend(t, { name })))
  const app = Fastify()
  await app.register(policiesPlugin)
  const list = backends.map(({ url }, index) => ({ url, id: names[index]! }))
  await app.register(core, { backends: list, policy: stickyPolicy() })
  const { url } = await listenApp(t, app)
  await ask(url)
  const first = await opened(t, url)
  assert.deepEqual([first.name, first.cookies.length], ['b', 1])
  const cookie = first.cookies[0]!.split(';')[0]!
  for (let round = 0; round < 2; round++) assert.deepEqual(await opened(t, url, cookie), { name: 'b', cookies: [] })
  assert.equal(cookiesOf(await ask(url, { headers: { cookie } })).length, 0)
})

test('by a header: the response tells the token, and the client sends it back', async (t) => {
  const { url } = await startStage(t, {
    settings: { header: 'X-Session' },
    listener: (name) => (request, response) => {
      response.setHeader('x-session', 'of the backend')
      response.end(`${name} ${String(request.headers['x-session'])}`)
    },
  })
  await ask(url)
  const first = await ask(url)
  const own = first.headers['x-session'] as string
  assert.match(own, new RegExp(`^${token}$`))
  assert.deepEqual([first.body, first.headers['cache-control'], cookiesOf(first)], ['b undefined', 'private', []])
  for (let round = 0; round < 2; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { body, headers } = await ask(url, { headers: { 'X-SESSION': own } })
    assert.deepEqual([body, headers['x-session']], ['b undefined', undefined])
  }
  for (const other of ['forged', '', `${own}, ${own}`]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { headers } = await ask(url, { headers: { 'x-session': other } })
    assert.equal((headers['x-session'] as string).length, 43)
  }
})

test('settings that cannot be are refused, and no error shows a secret', async () => {
  const faults = async (settings: object, name: string | undefined = 'sticky') => {
    const app = Fastify()
    await app.register(policiesPlugin)
    try {
      await app.register(core, { backends: [], policy: { name, ...settings } as never })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  const given = { secret: [secret] }
  assert.equal(await faults(given), '')
  for (const [settings, message] of [
    [{}, /policy\.secret: expected an array that is not empty, got nothing/],
    [{ secret: [] }, /policy\.secret: expected an array that is not empty, got an array/],
    [{ secret }, /policy\.secret: expected an array that is not empty, got a string/],
    [
      { secret: [secret, 'too short'] },
      /policy\.secret\.1: expected a string of at least 16 characters, got a string$/,
    ],
    [{ ...given, cookie: 'a b' }, /policy\.cookie: expected the name of a cookie, got a string/],
    [{ ...given, cookie: 'a', header: 'x-b' }, /policy\.header: give `cookie` or `header`, not both/],
    [{ ...given, header: 'Host' }, /policy\.header: 'Host' has a meaning of its own/],
    [{ ...given, header: 'cookie' }, /policy\.header: 'cookie' has a meaning of its own/],
    [{ ...given, path: '/; Domain=evil' }, /policy\.path: expected a path that begins with \//],
    [{ ...given, domain: 'a; b' }, /policy\.domain: expected a host name/],
    [{ ...given, sameSite: 'none', secure: false }, /policy\.secure: must not be false with `sameSite: 'none'`/],
    [{ ...given, secrets: [secret] }, /policy\.secrets: unknown option \(did you mean secret\?\)/],
    [{ ...given, policy: 'rndom' }, /policy\.policy: .*did you mean 'random'/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const said = await faults(settings)
    assert.match(said, message)
    assert.ok(!said.includes(secret) && !said.includes('too short'), said)
  }
  // Around it, they would send its clients to other backends.
  for (const name of ['canary', 'tiers', 'maglev'])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.match(
      await faults({ policy: { name: 'sticky', ...given } }, name),
      /policy\.policy: 'sticky' cannot stand within/,
    )
})
