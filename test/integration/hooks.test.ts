import balancer, {
  type Attempt,
  type BalancerHooks,
  type BalancerOptions,
  type ExchangeView,
  type Policy,
} from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startBackends, startRawBackend, unusedOrigin } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'
import { openWebSocket, startEchoBackend } from '../support/websockets.ts'

const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** An app that writes down everything that its balancer tells, in order. */
async function start(t: TestContext, urls: readonly string[], options: BalancerOptions = {}) {
  const lines = new LogLines()
  const app = Fastify({ logger: { level: 'info', stream: lines.stream } })
  await app.register(balancer, {
    backends: urls.map((url, index) => ({ url, id: 'abcdef'[index]! })),
    policy: inOrder,
    ...options,
  })
  const told: string[] = []
  const own = app.balancer
  own.addHook('onPick', ({ backend, number }) => void told.push(`onPick ${backend.id} ${number}`))
  own.addHook('onAttemptStart', ({ backend, outcome }) => void told.push(`onAttemptStart ${backend.id} ${outcome}`))
  own.addHook('onAttemptResponse', ({ backend, status }) => void told.push(`onAttemptResponse ${backend.id} ${status}`))
  own.addHook('onAttemptEnd', ({ backend, outcome }) => void told.push(`onAttemptEnd ${backend.id} ${outcome}`))
  // Channels are those of the whole process.
  const listen = (name: string, tell: (message: never) => string | undefined) => {
    const listener = (message: unknown) => {
      const text = tell(message as never)
      if (text !== undefined) told.push(`${name} ${text}`)
    }
    subscribe(`balancer-core:${name}`, listener)
    t.after(() => unsubscribe(`balancer-core:${name}`, listener))
  }
  const ofAttempt = ({ attempt }: { attempt: Attempt }) => `${attempt.backend.id} ${attempt.outcome}`
  const ofExchange = ({ exchange }: { exchange: ExchangeView }) => `${exchange.url} ${exchange.outcome}`
  listen('exchange:start', ofExchange)
  listen('exchange:end', ofExchange)
  listen('attempt:start', ofAttempt)
  listen('attempt:response', ofAttempt)
  listen('attempt:end', ofAttempt)
  const started = await listenApp(t, app)
  return {
    ...started,
    balancer: own,
    told,
    lines,
    async untilEnd() {
      await until('the exchange has ended', () => told.some((line) => line.startsWith('exchange:end')))
      return told.splice(0)
    },
  }
}

for (const lane of ['raw', 'full'] as const)
  test(`a hook may change the response that goes to the client, and is told of no other: ${lane} lane`, async (t) => {
    const urls = await Promise.all(
      [
        (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(500).end('a'),
        ({ socket }: IncomingMessage) => void socket.destroy(),
        (_request: IncomingMessage, response: ServerResponse) => {
          response.setHeader('set-cookie', 'of=backend')
          response.setHeader('x-internal', 'of the backend')
          response.end('c')
        },
      ].map(async (listener) => (await startBackend(t, listener)).url),
    )
    const retry = { attempts: 3, statuses: [500], budget: { floor: 100 } }
    const { url, balancer: own } = await start(t, urls, { lane, retry })
    const passed: string[] = []
    own.addHook('onResponse', ({ backend, headers, number }) => {
      passed.push(`${backend.id} ${number}`)
      headers['set-cookie'] = [headers['set-cookie'] ?? []].flat().map(String).concat('of=hook')
      delete headers['x-internal']
    })
    const { body, headers } = await ask(url)
    assert.deepEqual([body, headers['set-cookie'], headers['x-internal']], ['c', ['of=backend', 'of=hook'], undefined])
    assert.deepEqual(passed, ['c 3'])
  })

test('a hook may still end what it is told of, and the client gets the failure', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { url, balancer: own } = await start(t, [a!.url], { retry: false })
  own.addHook('onResponse', (attempt) => attempt.cancel('bad-response'))
  const { status, body } = await ask(url)
  assert.deepEqual([status, JSON.parse(body).code], [502, 'FST_BALANCER_BAD_RESPONSE'])
})

test('when a hook cancels the response that would go to the client, a retry may answer', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { url, balancer: own } = await start(t, [a!.url, b!.url])
  const answered: boolean[] = []
  own.addHook('onResponse', (attempt) => {
    answered.push(attempt.exchange.answeredBy === attempt)
    if (attempt.number === 1) attempt.cancel('reset-before-headers')
  })
  const { status, body } = await ask(url)
  assert.deepEqual([status, body, answered], [200, 'b', [true, true]])
})

test('an exchange that was upgraded says which attempt answered it', async (t) => {
  const { url: backend } = await startEchoBackend(t)
  const { app, url } = await start(t, [backend])
  const answered: (Attempt | undefined)[] = []
  const hear = (message: unknown) => void answered.push((message as { exchange: ExchangeView }).exchange.answeredBy)
  subscribe('balancer-core:exchange:end', hear)
  t.after(() => unsubscribe('balancer-core:exchange:end', hear))
  const socket = await openWebSocket(t, url)
  socket.terminate()
  await until('it has ended', () => answered.length === 1)
  assert.equal(answered[0]?.backend, app.balancer.backends[0])
})

for (const lane of ['raw', 'full'] as const) {
  test(`what is told of a plain request, in order: ${lane} lane`, async (t) => {
    const [a] = await startBackends(t, 'a')
    const { url, untilEnd } = await start(t, [a!.url], { lane })
    for (const path of ['/one', '/two']) {
      await ask(url + path)
      assert.deepEqual(await untilEnd(), [
        `exchange:start ${path} undefined`,
        'onPick a 1',
        'onAttemptStart a undefined',
        'attempt:start a undefined',
        'onAttemptResponse a 200',
        'attempt:response a undefined',
        'onAttemptEnd a ok',
        'attempt:end a ok',
        `exchange:end ${path} ok`,
      ])
    }
  })

  test(`what is told of a request that is tried at three backends, in order: ${lane} lane`, async (t) => {
    const resetting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()))
    const [c] = await startBackends(t, 'c')
    const { url, balancer: own, untilEnd } = await start(t, [await unusedOrigin(), resetting, c!.url], { lane })
    // So that it does not matter which of the other two comes second.
    own.addHook('onPick', ({ backend, number }) => backend.id !== 'c' || number === 3)
    await ask(`${url}/path`)
    const told = await untilEnd()
    assert.deepEqual(
      told.filter((line) => !line.startsWith('onPick')),
      [
        'exchange:start /path undefined',
        'onAttemptStart a undefined',
        'attempt:start a undefined',
        'onAttemptEnd a connect-refused',
        'attempt:end a connect-refused',
        'onAttemptStart b undefined',
        'attempt:start b undefined',
        'onAttemptEnd b reset-before-headers',
        'attempt:end b reset-before-headers',
        'onAttemptStart c undefined',
        'attempt:start c undefined',
        'onAttemptResponse c 200',
        'attempt:response c undefined',
        'onAttemptEnd c ok',
        'attempt:end c ok',
        'exchange:end /path ok',
      ],
    )
    // Whoever goes was asked about first.
    for (const [id, number] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const) {
      const asked = told.lastIndexOf(`onPick ${id} ${number}`)
      assert.ok(asked >= 0 && asked < told.indexOf(`onAttemptStart ${id} undefined`))
    }
  })

  test(`what is told of a request that its client gives up, in order: ${lane} lane`, async (t) => {
    const holding = await startBackend(t, (incoming, response) => {
      if (incoming.url === '/begun') response.write('a beginning')
    })
    const { url, untilEnd } = await start(t, [holding.url], { lane })
    for (const path of ['/waiting', '/begun']) {
      const outgoing = request(url + path, { agent: false }).on('error', () => {})
      outgoing.on('response', (response) => {
        response.on('error', () => {})
        outgoing.destroy()
      })
      outgoing.end()
      await until('it has arrived', () => holding.received.some((incoming) => incoming.url === path))
      if (path === '/waiting') outgoing.destroy()
      assert.deepEqual(await untilEnd(), [
        `exchange:start ${path} undefined`,
        'onPick a 1',
        'onAttemptStart a undefined',
        'attempt:start a undefined',
        ...(path === '/begun' ? ['onAttemptResponse a 200', 'attempt:response a undefined'] : []),
        'onAttemptEnd a client-gone',
        'attempt:end a client-gone',
        `exchange:end ${path} client-gone`,
      ])
    }
  })

  test(`what is told of a request that nobody takes: ${lane} lane`, async (t) => {
    const { url, untilEnd } = await start(t, [], { lane })
    await ask(`${url}/path`)
    assert.deepEqual(await untilEnd(), ['exchange:start /path undefined', 'exchange:end /path no-backend'])
  })
}

test('what an attempt knows when it has ended', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { url, balancer: own } = await start(t, [a!.url])
  const ended: Attempt[] = []
  own.addHook('onAttemptEnd', (attempt) => void ended.push(attempt))
  await ask(`${url}/path`, { method: 'POST', body: 'four' })
  await until('it has ended', () => ended.length === 1)
  const [{ exchange, ...attempt } = ended[0]!] = ended
  assert.deepEqual(
    [attempt.status, attempt.outcome, attempt.bytesSent, attempt.bytesReceived, ended[0]!.blame],
    [200, 'ok', 4, 1, undefined],
  )
  assert.ok(attempt.startedAt <= attempt.sentAt && attempt.sentAt <= attempt.respondedAt)
  assert.ok(attempt.respondedAt <= attempt.endedAt)
  assert.deepEqual(
    [exchange.method, exchange.url, exchange.balancerName, exchange.request.method],
    ['POST', '/path', 'default', 'POST'],
  )
  assert.deepEqual(exchange.attempts, ended)
})

test('hooks of one name are called in the order in which they were added', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { url, balancer: own } = await start(t, [a!.url])
  const order: number[] = []
  for (const number of [1, 2, 3]) own.addHook('onAttemptStart', () => void order.push(number))
  await ask(url)
  assert.deepEqual(order, [1, 2, 3])
})

test('a hook that throws is logged by name, and breaks nothing', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { url, balancer: own, lines, untilEnd } = await start(t, [a!.url])
  const broken = [
    'onPick',
    'onAttemptStart',
    'onAttemptResponse',
    'onAttemptEnd',
    'onBackendsChange',
    'onBackendsPropose',
  ] as const
  for (const name of broken) {
    own.addHook(name, function breaks() {
      throw new Error(`${name} broke`)
    })
  }
  const answer = await ask(url)
  assert.deepEqual([answer.status, answer.body], [200, 'a'])
  assert.deepEqual((await untilEnd()).slice(-3), ['onAttemptEnd a ok', 'attempt:end a ok', 'exchange:end / ok'])
  await own.add({ url: a!.url, id: 'added' })
  assert.equal(own.set.all.length, 2)
  assert.deepEqual([own.backend('a').inFlight, own.exchanges], [0, 0])

  const logged = lines.all.filter(({ msg }) => msg === 'a hook of the balancer threw an error')
  assert.deepEqual(logged.map(({ hook }) => String(hook)).sort(), broken.map((name) => `${name} breaks`).sort())
  for (const { level, err, balancer: name, hook } of logged) {
    assert.deepEqual([level, name], [50, 'default'])
    assert.equal((err as Error).message, `${String(hook).split(' ')[0]} broke`)
  }
})

test('a hook that throws does not keep the next one from being called', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { url, balancer: own } = await start(t, [a!.url, b!.url])
  own.addHook('onPick', () => {
    throw new Error('broke')
  })
  own.addHook('onPick', ({ backend }) => backend.id !== 'a')
  assert.equal((await ask(url)).body, 'b')
})

test('a backend that a hook refuses is not asked; another one is', async (t) => {
  const [a, b, c] = await startBackends(t, 'a', 'b', 'c')
  const { url, balancer: own } = await start(t, [a!.url, b!.url, c!.url], { policy: 'round-robin' })
  let refused = new Set(['b'])
  own.addHook('onPick', ({ backend }) => !refused.has(backend.id))
  const answers = []
  for (let count = 0; count < 6; count++) answers.push((await ask(url)).body)
  assert.ok(!answers.includes('b'))
  assert.deepEqual(new Set(answers), new Set(['a', 'c']))
  // To be asked is not to be picked.
  assert.deepEqual([own.backend('b').requests, own.backend('b').inFlight], [0, 0])

  refused = new Set(['a', 'b', 'c'])
  assert.equal((await ask(url)).status, 503)
  assert.deepEqual(
    own.backends.map(({ inFlight }) => inFlight),
    [0, 0, 0],
  )
  refused = new Set()
  assert.equal((await ask(url)).status, 200)
})

test('a hook that does not exist, or is no function, is refused', async (t) => {
  const { balancer: own } = await start(t, [])
  assert.throws(() => own.addHook('onAttempt' as keyof BalancerHooks, () => {}), /onAttempt/)
  assert.throws(() => own.addHook('onPick', 'nothing' as never), TypeError)
  assert.equal(
    own.addHook('onPick', () => {}),
    own,
  )
})
