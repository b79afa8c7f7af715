import type { Attempt, BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { ManualClock } from '../support/clock.ts'
import { rawClient } from '../support/raw.ts'
import { unchanged, until } from '../support/until.ts'

const never = () => {}
/** Limits are kept no earlier than they say, and not much later (ms). */
const tolerance = 300
const lanes = ['raw', 'full'] as const

async function start(t: TestContext, backends: readonly string[], options: BalancerOptions = {}) {
  const ended: Attempt[] = []
  const started = await startApp(t, { backends: [...backends], failureHeader: true, ...options })
  started.app.balancer.addHook('onAttemptEnd', (attempt) => void ended.push(attempt))
  return { ...started, ended, balancer: started.app.balancer, backend: started.app.balancer.backends[0]! }
}

/** A backend that reads what it is sent, and answers when and what the test says. */
async function startPatient(t: TestContext) {
  const responses: ServerResponse[] = []
  let bytes = 0
  const backend = await startBackend(t, (incoming, response) => {
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length))
    responses.push(response)
  })
  return {
    ...backend,
    responses,
    /** Body bytes received so far. */
    get bytes() {
      return bytes
    },
  }
}

/** A response as a client sees it arrive. */
async function openResponse(url: string) {
  const outgoing = request(url, { agent: false }).on('error', never).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

test('a backend whose queue of connections is full is given up, and another one asked', async (t) => {
  if (process.platform !== 'linux') return t.skip('how a full queue behaves is different elsewhere')
  const { first: port } = await startChild(t, new URL('stopped-backend.ts', import.meta.url))
  // The queue is full once somebody is left waiting.
  const waiting = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1').on('error', never))
  t.after(() => waiting.forEach((socket) => socket.destroy()))
  await until('some are connected', () => waiting.some(({ connecting }) => !connecting))
  const alive = await startBackend(t)
  const { url, ended } = await start(t, [`http://127.0.0.1:${Number(port)}`, alive.url], { timeouts: { connect: 100 } })
  const answer = await ask(url, { method: 'POST', body: Readable.from(['in ', 'pieces']) })
  assert.equal(answer.status, 200)
  assert.deepEqual(
    ended.map(({ outcome, sentAt }) => [outcome, sentAt > 0]),
    [
      ['connect-timeout', false],
      ['ok', true],
    ],
  )
})

test('a client that waits to be told to continue is not told so before there is a connection', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url !== '/held') incoming.pipe(response)
  })
  const clock = new ManualClock()
  const { url, port, balancer } = await start(t, [backend.url], {
    clock,
    pool: { connections: 1 },
    timeouts: { continue: 100, queue: 0 },
  })
  const held = request(`${url}/held`, { agent: false }).on('error', never).end()
  t.after(() => held.destroy())
  await until('the backend is occupied', () => backend.received.length === 1)

  const head = 'POST /waits HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n'
  const impatient = await rawClient(t, port)
  impatient.send(head)
  await until('it waits for a connection', () => balancer.queue.length === 1)
  assert.equal(impatient.received, '')
  clock.advance(100)
  const refusal = await impatient.until(/\r\n\r\n\{.*\}/)
  assert.match(refusal, /^HTTP\/1\.1 504 /)
  assert.match(refusal, /x-balancer-failure: continue-timeout/)
  assert.equal(balancer.queue.length, 0)

  held.destroy()
  await until('the backend is free', () => balancer.exchanges === 0)
  const patient = await rawClient(t, port)
  patient.send(head)
  assert.equal(await patient.until(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n')
  patient.send('body')
  assert.match(await patient.until(/body\r\n0\r\n\r\n$/), /HTTP\/1\.1 200 OK/)
})

test('an upload may take longer than the headers may, and longer than nothing may move', async (t) => {
  const clock = new ManualClock()
  const backend = await startPatient(t)
  const { url, ended } = await start(t, [backend.url], { clock, timeouts: { headers: 1000, idle: 1000 } })
  const body = new Readable({ read: never })
  const answer = ask(url, { method: 'POST', body })
  for (let step = 1; step <= 10; step++) {
    body.push('drop ')
    await until('it has arrived', () => backend.bytes === step * 5)
    clock.advance(700)
  }
  body.push(null)
  await until('the upload is over', () => backend.received[0]!.complete)
  // From now on the headers are due.
  clock.advance(700)
  backend.responses[0]!.end('got it')
  assert.equal((await answer).body, 'got it')
  assert.deepEqual(
    ended.map(({ outcome }) => outcome),
    ['ok'],
  )
})

test('the headers are due so long after the request was sent, no earlier', async (t) => {
  const clock = new ManualClock()
  const backend = await startPatient(t)
  const { url, ended } = await start(t, [backend.url], { clock, timeouts: { headers: 30_000 } })
  const answer = ask(url, { method: 'POST', body: 'small' })
  await until('the request has arrived', () => backend.received.length === 1)
  clock.advance(29_999)
  assert.equal(ended.length, 0)
  clock.advance(tolerance)
  assert.equal((await answer).headers['x-balancer-failure'], 'headers-timeout')
})

for (const lane of lanes) {
  test(`a backend that sends slowly is not idle: ${lane} lane`, async (t) => {
    const clock = new ManualClock()
    const backend = await startPatient(t)
    const { url, ended, backend: view } = await start(t, [backend.url], { lane, clock, timeouts: { idle: 1000 } })
    const answer = ask(url)
    await until('the request has arrived', () => backend.responses.length === 1)
    for (let step = 1; step <= 10; step++) {
      backend.responses[0]!.write('drop ')
      await until('it has arrived', () => view.bytesReceived === step * 5)
      clock.advance(700)
      assert.equal(ended.length, 0)
    }
    backend.responses[0]!.end()
    assert.equal((await answer).body, 'drop '.repeat(10))
  })

  test(`a client that reads slowly is not stalled: ${lane} lane`, async (t) => {
    const clock = new ManualClock()
    const size = 64_000_000
    const body = Buffer.alloc(size)
    const backend = await startBackend(t, (_incoming, response) => response.end(body))
    const { url, backend: view } = await start(t, [backend.url], { lane, clock, timeouts: { idle: 1000 } })
    const response = await openResponse(url)
    let received = 0
    response.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received - before > 8_000_000) response.pause()
    })
    let before = 0
    for (let step = 0; step < 5; step++) {
      await until('the client has read its share', () => response.isPaused())
      await until(
        'no more comes',
        unchanged(() => view.bytesReceived),
      )
      clock.advance(700)
      before = received
      response.resume()
    }
    before = Infinity
    await once(response, 'end')
    assert.equal(received, size)
    assert.ok(response.complete)
  })

  test(`a response must end in time however steadily it comes: ${lane} lane`, async (t) => {
    const clock = new ManualClock()
    const backend = await startPatient(t)
    const { url, ended, backend: view } = await start(t, [backend.url], { lane, clock, timeouts: { request: 5000 } })
    const pending = ask(url)
    await until('the request has arrived', () => backend.responses.length === 1)
    for (let step = 1; step <= 10; step++) {
      assert.equal(ended.length, 0)
      backend.responses[0]!.write('drop ')
      await until('it has arrived', () => view.bytesReceived === step * 5)
      clock.advance(500)
    }
    const answer = await pending
    assert.deepEqual([answer.status, answer.whole], [200, false])
    await until('the backend is rid of it', () => backend.sockets.size === 0)
    assert.deepEqual(
      ended.map(({ outcome, blame }) => [outcome, blame]),
      [['request-timeout', 'proxy']],
    )
  })

  test(`a client that never reads is cut off, once it has taken nothing for so long, and not before: ${lane} lane`, async (t) => {
    const clock = new ManualClock()
    const chunk = Buffer.alloc(65_536)
    const backend = await startBackend(t, (_incoming, response) => {
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    })
    const { port, ended, backend: view } = await start(t, [backend.url], { lane, clock, timeouts: { idle: 60_000 } })
    const client = await rawClient(t, port)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await until(
      'nothing moves any more',
      unchanged(() => view.bytesReceived),
    )
    assert.ok(view.bytesReceived < 32_000_000, `${view.bytesReceived} bytes were taken for somebody who reads nothing`)
    clock.advance(59_999)
    assert.equal(ended.length, 0)
    clock.advance(tolerance)
    await until('the backend is rid of it', () => ended.length === 1 && backend.sockets.size === 0)
    assert.deepEqual([ended[0]!.outcome, ended[0]!.blame], ['client-stalled', 'client'])
    assert.equal(view.inFlight, 0)
    client.socket.resume()
    await client.closed()
    // Whatever looks for something to do finds that there is nothing.
    clock.advance(tolerance)
    assert.equal(clock.pending, 0)
  })
}

test('the time for the whole request runs while it waits for a backend', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, never)
  const { url, balancer } = await start(t, [backend.url], {
    clock,
    pool: { connections: 1 },
    timeouts: { queue: 0, request: 5000 },
  })
  const first = ask(`${url}/first`)
  await until('the backend is occupied', () => backend.received.length === 1)
  const second = ask(`${url}/second`)
  await until('another one waits', () => balancer.queue.length === 1)
  clock.advance(5000)
  for (const answer of [await first, await second])
    assert.deepEqual([answer.status, answer.headers['x-balancer-failure']], [504, 'request-timeout'])
  assert.equal(balancer.queue.length, 0)
  assert.equal(backend.received.length, 1)
})

test('a request that takes too long is its backend’s failure, if that had it whole for most of the time', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, never)
  const { url, balancer, ended } = await start(t, [backend.url], {
    clock,
    pool: { connections: 1 },
    timeouts: { queue: 0, headers: 0, request: 5000 },
  })
  const first = ask(`${url}/first`)
  await until('the backend is occupied', () => backend.received.length === 1)
  clock.advance(2400)
  const second = ask(`${url}/second`)
  await until('another one waits', () => balancer.queue.length === 1)
  clock.advance(2600)
  const { status, headers } = await first
  assert.deepEqual([status, headers['x-balancer-failure']], [504, 'request-timeout'], 'the client is told what it was')
  await until('the other one is under way', () => backend.received.length === 2)
  // It has 2400 ms left, and has waited for longer.
  clock.advance(2400)
  assert.equal((await second).status, 504)
  assert.deepEqual(
    ended.map(({ outcome, blame }) => [outcome, blame]),
    [
      ['headers-timeout', 'backend'],
      ['request-timeout', 'proxy'],
    ],
  )
})

test('the time for the whole request runs through every attempt', async (t) => {
  const clock = new ManualClock()
  const backends = await Promise.all([startPatient(t), startPatient(t)])
  const { url, ended } = await start(
    t,
    backends.map((backend) => backend.url),
    { clock, timeouts: { headers: 1000, request: 1700 }, retry: { attempts: 5 } },
  )
  const answer = ask(url)
  await until('the first attempt has arrived', () => backends.some(({ responses }) => responses.length === 1))
  clock.advance(1000 + tolerance)
  await until('the second attempt has arrived', () => backends.every(({ responses }) => responses.length === 1))
  assert.equal(ended.length, 1)
  clock.advance(1700 - 1000 - tolerance)
  assert.equal((await answer).status, 504)
  assert.deepEqual(
    ended.map(({ outcome }) => outcome),
    ['headers-timeout', 'request-timeout'],
  )
})

test('a client that stops uploading, and a backend that stops reading, are told apart', async (t) => {
  const clock = new ManualClock()
  const reading = await startBackend(t, (incoming) => void incoming.resume())
  const client = await start(t, [reading.url], { clock, timeouts: { idle: 60_000 } })
  const stalled = new Readable({ read: never })
  stalled.push('the first of many')
  const toldClient = ask(client.url, { method: 'POST', body: stalled })
  await until('the backend has what there is', () => client.backend.bytesSent > 0)
  clock.advance(59_999)
  assert.equal(client.ended.length, 0)
  clock.advance(tolerance)
  assert.equal((await toldClient).headers['x-balancer-failure'], 'request-stalled')
  assert.equal((await toldClient).headers.connection, 'close')
  assert.deepEqual(
    client.ended.map(({ blame }) => blame),
    ['client'],
  )

  const deaf = await startRawBackend(t, (socket) => socket.pause())
  const backend = await start(t, [deaf], { clock, timeouts: { idle: 60_000 } })
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    },
  })
  const toldBackend = ask(backend.url, { method: 'POST', body: endless })
  await until(
    'the backend takes no more',
    unchanged(() => backend.backend.bytesSent),
  )
  clock.advance(60_000 + tolerance)
  assert.equal((await toldBackend).headers['x-balancer-failure'], 'upload-timeout')
  assert.deepEqual(
    backend.ended.map(({ blame }) => blame),
    ['backend'],
  )
})

test('a client that stops uploading to a backend that has begun to answer is not the fault of the backend', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, (incoming, response) => void incoming.pipe(response))
  const { url, ended, backend: view } = await start(t, [backend.url], { clock, timeouts: { idle: 1000 } })
  const body = new Readable({ read: never })
  body.push('the first of many')
  const answer = ask(url, { method: 'POST', body })
  await until('it has come back', () => view.bytesReceived > 0)
  clock.advance(1000 + tolerance)
  assert.equal((await answer).whole, false)
  assert.deepEqual(
    ended.map(({ outcome, blame }) => [outcome, blame]),
    [['request-stalled', 'client']],
  )
  assert.equal(view.penalty, 0)
})

test('0 is no limit', async (t) => {
  const backend = await startBackend(t, (incoming, response) => void incoming.pipe(response))
  const timeouts = { connect: 0, continue: 0, headers: 0, idle: 0, request: 0, queue: 0 }
  const clock = new ManualClock()
  const { url } = await start(t, [backend.url], { clock, timeouts })
  const body = new Readable({ read: never })
  const answer = ask(url, { method: 'POST', body })
  await until('the request is under way', () => clock.pending === 0)
  clock.advance(1e6)
  body.push('late')
  await until('the request has arrived', () => backend.received.length === 1)
  clock.advance(1e6)
  body.push(null)
  assert.equal((await answer).body, 'late')
  const headers = { expect: '100-continue', 'content-length': 4 }
  assert.equal((await ask(url, { method: 'POST', headers, body: 'body' })).status, 200)
})

for (const lane of lanes) {
  test(`nothing is left running when requests have ended in time: ${lane} lane`, async (t) => {
    const clock = new ManualClock()
    const backend = await startBackend(t, (incoming, response) => {
      incoming.resume()
      incoming.on('end', () => response.end('done'))
    })
    const timeouts = { connect: 1000, continue: 1000, headers: 1000, idle: 1000, request: 1000, queue: 1000 }
    const { url, balancer } = await start(t, [backend.url], { lane, clock, timeouts, pool: { connections: 1 } })
    await Promise.all([
      ask(url),
      ask(url, { method: 'POST', body: 'small' }),
      ask(url, { method: 'POST', body: Readable.from(['in ', 'pieces']) }),
      ask(url, { method: 'POST', headers: { expect: '100-continue', 'content-length': 4 }, body: 'body' }),
    ])
    await until('every exchange has ended', () => balancer.exchanges === 0)
    // Whatever looks for something to do finds that there is nothing.
    clock.advance(tolerance)
    assert.equal(clock.pending, 0)
  })
}
