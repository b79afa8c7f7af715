import type { Attempt, Balancer, BalancerOptions, Policy } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask, type Question } from '../support/ask.ts'
import { startBackend, startRawBackend, unusedOrigin, type TestBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

/** Always the first of those that are available, so that a test knows who is asked before whom. */
const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex')

/** Answers with the digest of what it was sent. */
const digesting: RequestListener = (incoming, response) => {
  const hash = createHash('sha256')
  incoming.on('data', (chunk: Buffer) => hash.update(chunk))
  incoming.on('end', () => response.end(hash.digest('hex')))
}

/** Reads the request, and resets the connection instead of answering. */
const resetting: RequestListener = (incoming) => {
  incoming.resume()
  incoming.on('end', () => incoming.socket.resetAndDestroy())
}

/** An app before these backends, in this order of preference, with what each request has tried. */
async function start(t: TestContext, backends: readonly string[], options: BalancerOptions = {}) {
  const ended: Attempt[] = []
  const { app, url } = await startApp(t, {
    backends: backends.map((backend, index) => ({ url: backend, id: `backend-${index}` })),
    policy: inOrder,
    ...options,
  })
  app.balancer.addHook('onAttemptEnd', (attempt) => void ended.push(attempt))
  return {
    url,
    balancer: app.balancer,
    /** What has been tried since this was called last. */
    tried: () => ended.splice(0).map(({ backend, outcome }) => `${backend.id} ${outcome}`),
  }
}

const generous = { budget: { ratio: 0, floor: 1000 } }
const none = { budget: { ratio: 0, floor: 0 } }

test('what was never sent goes on to another backend, with any method and its body intact', async (t) => {
  const alive = await startBackend(t, digesting)
  // Neither a retry nor a budget is needed: nothing is sent twice.
  const { url, tried } = await start(t, [await unusedOrigin(), alive.url], { retry: { attempts: 0, ...none } })
  const large = randomBytes(300_000)
  const small = large.subarray(0, 1000)
  const bodies: [string, Question, Buffer][] = [
    ['none', {}, Buffer.alloc(0)],
    ['small', { body: small, headers: { 'content-length': small.length } }, small],
    ['of known length', { body: large, headers: { 'content-length': large.length } }, large],
    ['streamed', { headers: { 'transfer-encoding': 'chunked' } }, large],
  ]
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
    for (const [kind, question, body] of bodies) {
      const stream = kind === 'streamed' && { body: Readable.from([large.subarray(0, 7), large.subarray(7)]) }
      const answer = await ask(url, { method, ...question, ...stream })
      assert.deepEqual([answer.status, answer.body], [200, digest(body)], `${method} with a body: ${kind}`)
      assert.deepEqual(tried(), ['backend-0 connect-refused', 'backend-1 ok'])
    }
  }
  assert.deepEqual(
    new Set(alive.received.map(({ method }) => method)),
    new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']),
  )
})

test('when the preferred ones cannot be reached, a request goes on to a spare one at once', async (t) => {
  const [spare, last] = [await startBackend(t, undefined, 'spare'), await startBackend(t, undefined, 'last')]
  const { url, tried } = await start(t, [], {
    backends: [
      { url: await unusedOrigin(), id: 'dead' },
      { url: last.url, id: 'last', priority: 2 },
      { url: spare.url, id: 'spare', priority: 1 },
    ],
  })
  for (const method of ['GET', 'POST']) {
    assert.equal((await ask(url, { method })).body, 'spare')
    assert.deepEqual(tried(), ['dead connect-refused', 'spare ok'])
  }
  assert.equal(last.received.length, 0)
})

test('each dead backend is tried once, and not more than eleven of them', async (t) => {
  const dead = await Promise.all(Array.from({ length: 3 }, unusedOrigin))
  const three = await start(t, dead)
  assert.equal((await ask(three.url, { method: 'POST', body: 'x' })).status, 502)
  assert.deepEqual(three.tried(), [0, 1, 2].map((index) => `backend-${index} connect-refused`).sort())

  const [origin] = dead
  const many = Array.from({ length: 15 }, () => origin!)
  const fifteen = await start(t, many)
  assert.equal((await ask(fifteen.url)).status, 502)
  const tried = fifteen.tried()
  assert.equal(tried.length, 11)
  assert.equal(new Set(tried).size, 11)
})

test('what was sent is repeated only where the method allows it', async (t) => {
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t)
  const { url, tried } = await start(t, [bad.url, good.url], { retry: generous })
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    assert.equal((await ask(url, { method })).status, 200, method)
    assert.deepEqual(tried(), ['backend-0 reset-before-headers', 'backend-1 ok'], method)
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
    assert.equal((await ask(url, { method })).status, 502, method)
    assert.deepEqual(tried(), ['backend-0 reset-before-headers'], method)
  }
  assert.equal(good.received.length, 3)
})

test('what was sent with a body is repeated only if the body is held whole', async (t) => {
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t, digesting)
  const { url, tried } = await start(t, [bad.url, good.url], { retry: { methods: ['GET', 'PUT'], ...generous } })
  const small = randomBytes(1000)
  const large = randomBytes(300_000)
  for (const method of ['GET', 'PUT']) {
    const held = await ask(url, { method, body: small, headers: { 'content-length': small.length } })
    assert.deepEqual([held.status, held.body], [200, digest(small)])
    assert.deepEqual(tried(), ['backend-0 reset-before-headers', 'backend-1 ok'])
  }
  const chunked = Readable.from([small])
  for (const question of [{ body: large, headers: { 'content-length': large.length } }, { body: chunked }]) {
    assert.equal((await ask(url, { method: 'PUT', ...question })).status, 502)
    assert.deepEqual(tried(), ['backend-0 reset-before-headers'])
  }
  assert.equal(good.received.length, 2)
})

test('what was sent is repeated at most `attempts` times, each time at a backend not yet tried', async (t) => {
  const bad = await Promise.all(Array.from({ length: 4 }, () => startBackend(t, resetting)))
  const urls = bad.map(({ url }) => url)
  const received = () => bad.map((backend) => backend.received.splice(0).length).sort((left, right) => left - right)
  for (const [attempts, expected] of [
    [0, [0, 0, 0, 1]],
    [1, [0, 0, 1, 1]],
    [2, [0, 1, 1, 1]],
    // There are no more than four.
    [9, [1, 1, 1, 1]],
  ] as const) {
    const { url } = await start(t, urls, { retry: { attempts, ...generous } })
    assert.equal((await ask(url)).status, 502)
    assert.deepEqual(received(), expected, `attempts: ${attempts}`)
  }
})

test('what could not be sent does not count among the repetitions', async (t) => {
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t)
  const { url, tried, balancer } = await start(t, [await unusedOrigin(), bad.url, good.url], { retry: generous })
  balancer.addHook('onPick', ({ backend, number }) => backend.id === `backend-${number - 1}`)
  assert.equal((await ask(url)).status, 200)
  assert.deepEqual(tried(), ['backend-0 connect-refused', 'backend-1 reset-before-headers', 'backend-2 ok'])
})

/** Which of `total` requests, one after the other, were repeated at the good backend. */
async function repeated(url: string, good: TestBackend, total: number): Promise<number[]> {
  const which: number[] = []
  for (let index = 0; index < total; index++) {
    const already = good.received.length
    const { status } = await ask(url)
    assert.equal(status, good.received.length > already ? 200 : 502)
    if (status === 200) which.push(index)
  }
  return which
}

test('repetitions are paid from a share of the requests of the last ten seconds', async (t) => {
  const clock = new ManualClock()
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t)
  const { url } = await start(t, [bad.url, good.url], { clock, retry: { budget: { ratio: 0.25, floor: 0 } } })
  assert.deepEqual(await repeated(url, good, 12), [3, 7, 11])
  // What was saved up is still there after nine seconds, and gone after ten.
  assert.deepEqual(await repeated(url, good, 3), [])
  clock.advance(9000)
  assert.deepEqual(await repeated(url, good, 3), [0])
  clock.advance(10_000)
  assert.deepEqual(await repeated(url, good, 4), [3])
})

test('some repetitions are allowed in each second, whatever the traffic', async (t) => {
  const clock = new ManualClock()
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t)
  const { url } = await start(t, [bad.url, good.url], { clock, retry: { budget: { ratio: 0, floor: 0.3 } } })
  assert.deepEqual(await repeated(url, good, 5), [0, 1, 2])
  clock.advance(9000)
  assert.deepEqual(await repeated(url, good, 2), [])
  clock.advance(1000)
  assert.deepEqual(await repeated(url, good, 5), [0, 1, 2])
})

test('a repetition that finds no other backend costs nothing', async (t) => {
  const clock = new ManualClock()
  // What answers so would do it again: it is not asked twice.
  const bad = { url: await startRawBackend(t, (socket) => socket.once('data', () => socket.end('no HTTP\r\n\r\n'))) }
  const good = await startBackend(t)
  const { url, balancer } = await start(t, [bad.url, good.url], { clock, retry: { budget: { ratio: 0, floor: 0.1 } } })
  const closed = balancer.veto(balancer.backends[1]!, { by: 'test', reason: 'closed', hard: true })
  assert.deepEqual(await repeated(url, good, 5), [])
  closed.lift()
  assert.deepEqual(await repeated(url, good, 3), [0])
})

test('a status that is worth it is repeated elsewhere, by the same rules', async (t) => {
  const busy = await startBackend(t, (_incoming, response) => response.writeHead(503).end('busy'))
  const good = await startBackend(t)
  const { url, tried } = await start(t, [busy.url, good.url], { retry: { statuses: [503], ...generous } })
  assert.deepEqual((await ask(url)).body, 'backend')
  assert.deepEqual(tried(), ['backend-0 ok', 'backend-1 ok'])
  // The backend answered well enough to keep its connection.
  assert.equal((await ask(url)).status, 200)
  assert.equal(busy.received[0]!.socket, busy.received[1]!.socket)
  tried()

  const post = await ask(url, { method: 'POST', body: 'once' })
  assert.deepEqual([post.status, post.body], [503, 'busy'])
  assert.deepEqual(tried(), ['backend-0 ok'])
})

test('when every backend answers with such a status, the last answer is passed on', async (t) => {
  const busy = await startBackend(t, (_incoming, response) => response.writeHead(503).end('first'))
  const busier = await startBackend(t, (_incoming, response) => response.writeHead(503).end('second'))
  const options = { retry: { statuses: [503], attempts: 3, ...generous } }
  const { url, tried } = await start(t, [busy.url, busier.url], options)
  const answer = await ask(url)
  assert.deepEqual([answer.status, answer.body], [503, 'second'])
  assert.deepEqual(tried(), ['backend-0 ok', 'backend-1 ok'])

  const poor = await start(t, [busy.url, busier.url], { retry: { statuses: [503], ...none } })
  const first = await ask(poor.url)
  assert.deepEqual([first.status, first.body], [503, 'first'])
})

test('a long answer that is not wanted is broken off, not read', async (t) => {
  const chunk = Buffer.alloc(65_536)
  let closed = false
  const endless = await startBackend(t, (_incoming, response) => {
    response.writeHead(503)
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', more)
    response.on('close', () => (closed = true))
    more()
  })
  const good = await startBackend(t)
  const { url, balancer } = await start(t, [endless.url, good.url], { retry: { statuses: [503], ...generous } })
  const over = new Promise<Attempt>((resolve) => {
    balancer.addHook('onAttemptEnd', (attempt) => attempt.number === 1 && resolve(attempt))
  })
  assert.equal((await ask(url)).body, 'backend')
  const { outcome, status } = await over
  // For whoever counts failures it was an answer like any other, and nobody's client has gone.
  assert.deepEqual([outcome, status], ['ok', 503])
  await new Promise<void>((resolve) => {
    if (closed) resolve()
    else for (const socket of endless.sockets) socket.once('close', resolve)
  })
})

for (const lane of ['raw', 'full'] as const) {
  test(`nothing is repeated once the response has begun: ${lane} lane`, async (t) => {
    const halfway = await startRawBackend(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf of it', () => socket.destroy())
      })
    })
    const good = await startBackend(t)
    const { url, tried } = await start(t, [halfway, good.url], { lane, retry: { attempts: 5, ...generous } })
    const answer = await ask(url)
    if (lane === 'raw') assert.equal(answer.whole, false)
    else assert.equal(answer.status, 502)
    assert.deepEqual(tried(), ['backend-0 body-truncated'])
    assert.equal(good.received.length, 0)
  })
}

test('a kept connection that turns out to be closed is replaced, at the same backend', async (t) => {
  let connections = 0
  const origin = await startRawBackend(t, (socket) => {
    connections++
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      socket.once('data', () => socket.destroy())
    })
  })
  const other = await startBackend(t)
  const { url, tried, balancer } = await start(t, [origin, other.url], { pool: { connections: 1 }, retry: generous })
  assert.equal((await ask(url)).body, 'ok')
  assert.equal((await ask(url)).body, 'ok')
  assert.deepEqual(tried(), ['backend-0 ok', 'backend-0 stale-connection', 'backend-0 ok'])
  assert.equal(connections, 2)
  assert.equal(balancer.backends[0]!.penalty, 0)
  assert.equal(balancer.backends[0]!.inFlight, 0)

  // Not where it might be done twice.
  assert.equal((await ask(url)).body, 'ok')
  assert.equal((await ask(url, { method: 'POST', body: 'once' })).status, 502)
  assert.deepEqual(tried(), ['backend-0 ok', 'backend-0 stale-connection'])
})

test('the second connection to a backend is the last one: then it is the turn of another', async (t) => {
  let requests = 0
  const origin = await startRawBackend(t, (socket) => {
    socket.on('data', () => {
      if (requests++ === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.destroy()
    })
  })
  const other = await startBackend(t)
  const { url, tried } = await start(t, [origin, other.url], { pool: { connections: 1 }, retry: generous })
  assert.equal((await ask(url)).body, 'ok')
  assert.equal((await ask(url)).status, 200)
  assert.deepEqual(tried(), [
    'backend-0 ok',
    'backend-0 stale-connection',
    'backend-0 reset-before-headers',
    'backend-1 ok',
  ])
  assert.equal(requests, 3)
  assert.equal(other.received.length, 1)
})

test('each backend may cost a connection, and no more than so many are tried', async (t) => {
  let requests = 0
  const dying = () =>
    startRawBackend(t, (socket) => {
      let isFirst = true
      socket.on('data', () => {
        requests++
        if (isFirst && requests <= 2) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        else socket.destroy()
        isFirst = false
      })
    })
  const { url, tried } = await start(t, [await dying(), await dying()], {
    pool: { connections: 1 },
    policy: 'round-robin',
    retry: { ...generous, attempts: 1 },
  })
  for (let turn = 0; turn < 2; turn++) assert.equal((await ask(url)).status, 200)
  assert.equal((await ask(url)).status, 502)
  assert.deepEqual(tried().slice(2), [
    'backend-0 stale-connection',
    'backend-0 reset-before-headers',
    'backend-1 reset-before-headers',
  ])
})

test('where one backend dies and another has been restarted, a GET is not lost with the kept connection to that one', async (t) => {
  const serving = (isDead: (connection: number) => boolean) => {
    let connections = 0
    return startRawBackend(t, (socket) => {
      const connection = ++connections
      let isFirst = true
      socket.on('data', () => {
        if (isFirst && !isDead(connection)) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        else socket.destroy()
        isFirst = false
      })
    })
  }
  const dying = await serving((connection) => connection > 1)
  const restarted = await serving(() => false)
  const { url, tried } = await start(t, [dying, restarted], {
    pool: { connections: 1 },
    policy: 'round-robin',
    retry: { ...generous, attempts: 1 },
  })
  for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url)).status, 200)
  assert.deepEqual(tried().slice(2), ['backend-0 stale-connection', 'backend-0 reset-before-headers', 'backend-1 ok'])
})

function count(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

test('no POST is delivered twice, whatever its backend does', async (t) => {
  const delivered: string[] = []
  const record = (behave: RequestListener): RequestListener => {
    return (incoming, response) => {
      delivered.push(incoming.url!)
      behave(incoming, response)
    }
  }
  const hanging = await startBackend(
    t,
    record(() => {}),
  )
  const breaking = await startBackend(
    t,
    record((_incoming, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy())
    }),
  )
  const backends = [
    await startBackend(t, record(resetting)),
    await startBackend(
      t,
      record((incoming) => incoming.socket.destroy()),
    ),
    await startBackend(t, record(digesting)),
    await startBackend(
      t,
      record((_incoming, response) => response.writeHead(503).end()),
    ),
    hanging,
    breaking,
  ]
  const urls = [await unusedOrigin(), ...backends.map(({ url }) => url), await unusedOrigin()]
  const { url, balancer } = await start(t, urls, {
    policy: 'round-robin',
    retry: { attempts: 10, statuses: [503], ...generous },
    timeouts: { headers: 50 },
  })
  const total = 160
  const answers = await Promise.all(
    Array.from({ length: total }, (_, id) => {
      const body = id % 2 === 0 ? 'small' : Readable.from(['in ', 'pieces'])
      return ask(`${url}/${id}`, { method: 'POST', body })
    }),
  )
  const counts = count(delivered)
  assert.deepEqual(
    [...counts.values()].filter((times) => times !== 1),
    [],
  )
  // Every one of them found a living backend, since what is refused goes on.
  assert.equal(counts.size, total)
  assert.ok(answers.some(({ status }) => status === 200))
  assert.ok(answers.some(({ status }) => status === 502))
  assert.ok(answers.some(({ status }) => status === 503))
  assert.ok(answers.some(({ status }) => status === 504))
  assertAtRest(balancer)
})

function assertAtRest(balancer: Balancer): void {
  assert.equal(balancer.exchanges, 0)
  assert.deepEqual(
    balancer.backends.map(({ inFlight }) => inFlight),
    balancer.backends.map(() => 0),
  )
}

/** Answers as it is told for each of its first requests, then with 200. */
async function startMending(t: TestContext, ...first: readonly ('reset' | number)[]): Promise<TestBackend> {
  let asked = 0
  return startBackend(t, (incoming, response) => {
    const what = first[asked++]
    if (what === 'reset') resetting(incoming, response)
    else response.writeHead(what ?? 200, { connection: 'close' }).end(`answer ${asked}`)
  })
}

for (const lane of ['raw', 'full'] as const) {
  test(`where there is only one backend, it is asked again: ${lane} lane`, async (t) => {
    const backend = await startMending(t, 'reset', 503, 'reset')
    const { url, tried } = await start(t, [backend.url], { retry: { statuses: [503], ...generous }, lane })
    assert.equal((await ask(url)).status, 503)
    assert.deepEqual(tried(), ['backend-0 reset-before-headers', 'backend-0 ok'])
    assert.equal((await ask(url, { method: 'POST' })).status, 502)
    assert.deepEqual(tried(), ['backend-0 reset-before-headers'])
    assert.equal((await ask(url)).body, 'answer 4')
    assert.deepEqual(tried(), ['backend-0 ok'])
  })
}

test('the only backend is asked again no more often than retries allow', async (t) => {
  const backend = await startBackend(t, resetting)
  for (const [retry, attempts] of [
    [{ attempts: 3, ...generous }, 4],
    [{ attempts: 1, ...generous }, 2],
    [{ attempts: 3, ...none }, 1],
    [false, 1],
  ] as const) {
    const { url, tried } = await start(t, [backend.url], { retry })
    assert.equal((await ask(url)).status, 502)
    assert.equal(tried().length, attempts)
  }
})

test('on a kept connection, the only backend is asked as often as on a new one', async (t) => {
  let broken = 0
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/breaks' && broken++ % 4 < 3) resetting(incoming, response)
    else response.end()
  })
  for (const [attempts, status, asked] of [
    [3, 200, 4],
    [1, 502, 2],
  ] as const) {
    const { url, tried } = await start(t, [backend.url], { retry: { attempts, ...generous } })
    assert.equal((await ask(url)).status, 200)
    tried()
    broken = 0
    assert.equal((await ask(`${url}/breaks`)).status, status)
    const outcomes = tried()
    assert.equal(outcomes.length, asked)
    assert.equal(outcomes[0], 'backend-0 stale-connection')
  }
})

test('what would fail again in the same way is not asked again', async (t) => {
  const garbage = await startRawBackend(t, (socket) => socket.once('data', () => socket.end('no HTTP\r\n\r\n')))
  const silent = await startRawBackend(t, () => {})
  for (const [backend, outcome] of [
    [garbage, 'bad-response'],
    [await unusedOrigin(), 'connect-refused'],
    [silent, 'headers-timeout'],
  ] as const) {
    const { url, tried } = await start(t, [backend], { retry: generous, timeouts: { headers: 50 } })
    assert.ok((await ask(url)).status >= 500)
    assert.deepEqual(tried(), [`backend-0 ${outcome}`])
  }
})

test('with a delay, a retry waits a random part of it, longer each time; never-sent requests with any method, too', async (t) => {
  const clock = new ManualClock()
  const draws = [0.5, 0.25, 0.999, 0.5]
  const { url, tried, balancer } = await start(t, [await unusedOrigin()], {
    clock,
    random: () => draws.shift()!,
    retry: { attempts: 4, delay: 100, ...generous },
    timeouts: { connect: 0 },
  })
  const answer = ask(url, { method: 'POST', body: 'whole' })
  for (const wait of [50, 75, 699.3, 500]) {
    await until('an attempt has failed', () => tried().length === 1)
    clock.advance(wait - 0.5)
    assert.equal(balancer.backends[0]!.inFlight, 0)
    clock.advance(1)
    assert.equal(balancer.backends[0]!.inFlight, 1)
  }
  assert.equal((await answer).status, 502)
  assert.deepEqual([tried(), draws], [['backend-0 connect-refused'], []])
})

test('what is picked after the wait counts, and gets the whole body', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, digesting)
  const body = randomBytes(300_000)
  const { url, balancer, tried } = await start(t, [await unusedOrigin()], {
    clock,
    random: () => 0.5,
    retry: { delay: 100, ...generous },
  })
  const answer = ask(url, { method: 'POST', body, headers: { 'content-length': body.length } })
  await until('an attempt has failed', () => tried().length === 1)
  await balancer.setBackends([{ url: backend.url, id: 'other' }], { force: true })
  clock.advance(50)
  assert.deepEqual([(await answer).status, (await answer).body], [200, digest(body)])
  assert.deepEqual(tried(), ['other ok'])
})

test('what was never sent goes to another backend without a wait, also after one', async (t) => {
  const clock = new ManualClock()
  const bad = await startBackend(t, resetting)
  const good = await startBackend(t)
  const { url, tried } = await start(t, [], {
    backends: [
      { url: bad.url, id: 'bad' },
      { url: await unusedOrigin(), id: 'dead', priority: 1 },
      { url: good.url, id: 'good', priority: 2 },
    ],
    clock,
    random: () => 0.5,
    retry: { delay: 60_000, ...generous },
  })
  const answer = ask(url)
  await until('an attempt has failed', () => tried().length === 1)
  clock.advance(30_000)
  assert.equal((await answer).status, 200)
  assert.deepEqual(tried(), ['dead connect-refused', 'good ok'])
})

test('a client that leaves ends the wait, and so does the limit of the request', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, resetting)
  const { url, balancer, tried } = await start(t, [backend.url], {
    clock,
    random: () => 0.5,
    retry: { delay: 1000, ...generous },
    timeouts: { request: 100 },
  })
  const leaving = new AbortController()
  const left = ask(url, { signal: leaving.signal })
  await until('an attempt has failed', () => tried().length === 1)
  leaving.abort()
  await left
  await until('it has ended', () => balancer.exchanges === 0)
  const slow = ask(url)
  await until('an attempt has failed', () => tried().length === 1)
  clock.advance(100)
  assert.equal((await slow).status, 504)
  await until('it has ended', () => balancer.exchanges === 0)
  clock.advance(2000)
  assert.deepEqual([tried(), balancer.backends[0]!.inFlight, backend.received.length], [[], 0, 2])
})

test('a response whose status is retried after a wait is discarded, and its place is given back', async (t) => {
  const clock = new ManualClock()
  const backend = await startMending(t, 503)
  const { url, balancer, tried } = await start(t, [backend.url], {
    clock,
    random: () => 0.5,
    retry: { delay: 100, statuses: [503], ...generous },
  })
  const answer = ask(url)
  await until('the response has been read', () => tried().length === 1)
  assert.equal(balancer.backends[0]!.inFlight, 0)
  clock.advance(50)
  assert.equal((await answer).body, 'answer 2')
})
