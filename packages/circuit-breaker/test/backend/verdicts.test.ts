import assert from 'node:assert/strict'
import { get as httpGet } from 'node:http'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { good, silent, start, type Behaviour, type Stage } from '../stage.ts'

/** The headers, a part of the body, and no end. */
const endless =
  (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  (response) =>
    void response.writeHead(status, { 'content-length': 1000, ...headers }).write('x')
const saying =
  (hint: string): Behaviour =>
  (response) =>
    void response.writeHead(503, { 'retry-after': hint }).end('not now')

/** A client that looks at the status alone, and leaves. */
async function glance({ url, balancer }: Stage): Promise<void> {
  const gone = () => balancer.backend('a').outcomes['client-gone'] ?? 0
  const before = gone()
  await new Promise<void>((resolve, reject) => {
    const request = httpGet(url, { agent: false }, (response) => {
      response.on('error', () => {})
      response.once('data', () => {
        response.destroy()
        resolve()
      })
    })
    request.on('error', reject)
  })
  await until('it has ended', () => gone() > before)
}

test('a failing status counts also where the client has not read on', async (t) => {
  const stage = await start(t, 'ab')
  stage.behaviour['a'] = endless(503)
  for (let count = 0; count < 3; count++) {
    assert.equal(stage.state('a'), 'closed')
    await glance(stage)
  }
  assert.equal(stage.state('a'), 'open')
  assert.deepEqual(
    stage.breaker.of('a').failures.map(({ cause }) => cause),
    Array(3).fill('status 503'),
  )
})

test('a failing status counts also where we broke off the rest', async (t) => {
  const stage = await start(t, 'ab', { breaker: { failures: 1 }, balancer: { timeouts: { request: 5000 } } })
  const { behaviour, clock, balancer, breaker, get } = stage
  behaviour['a'] = endless(504)
  const answer = get()
  await until('headers are there', () => clock.pending > 0 && balancer.backend('a').bytesReceived > 0)
  clock.advance(5000)
  await answer
  assert.equal(balancer.backend('a').outcomes['request-timeout'], 1)
  assert.deepEqual([breaker.of('a').state, breaker.of('a').failures[0]!.cause], ['open', 'status 504'])
})

test('a backend that hangs has failed when the time for the whole request is over, closed or half-open', async (t) => {
  const stage = await start(t, 'ab', { balancer: { timeouts: { request: 1000 } } })
  const { behaviour, clock, breaker, backends, get, state } = stage
  behaviour['a'] = silent
  const hang = async () => {
    const before = backends['a']!.received.length
    const answer = get()
    await until('it has the request', () => backends['a']!.received.length > before)
    clock.advance(1000)
    assert.equal(await answer, '- 504')
  }
  for (let count = 0; count < 3; count++) {
    assert.equal(state('a'), 'closed')
    await hang()
  }
  assert.equal(state('a'), 'open')
  clock.advance(10_000)
  assert.equal(state('a'), 'half-open')
  await hang()
  assert.deepEqual([state('a'), breaker.of('a').openings], ['open', 2])
})

test('a success that the client has not read to its end says nothing', async (t) => {
  const stage = await start(t, 'ab', { breaker: { failures: 2 } })
  const { behaviour, state } = stage
  behaviour['a'] = endless(503)
  await glance(stage)
  behaviour['a'] = endless(200)
  await glance(stage)
  assert.equal(state('a'), 'closed')
  // It has not ended the row.
  behaviour['a'] = endless(503)
  await glance(stage)
  assert.equal(state('a'), 'open')
})

test('pressure says nothing, also where the client has not read on', async (t) => {
  const stage = await start(t, 'ab', { breaker: { failures: 1 } })
  stage.behaviour['a'] = endless(503, { 'retry-after': '1' })
  await glance(stage)
  assert.deepEqual([stage.state('a'), stage.breaker.of('a').failures], ['closed', []])
})

test('503 that asks for no pause is a failure, closed or half-open', async (t) => {
  const { behaviour, get, state, clock, breaker } = await start(t, 'ab')
  for (const hint of ['0', ' 000 ', 'Thu, 01 Jan 1970 00:00:00 GMT']) {
    assert.equal(state('a'), 'closed')
    behaviour['a'] = saying(hint)
    assert.equal(await get(), 'a 503')
  }
  assert.equal(state('a'), 'open')
  clock.advance(10_000)
  assert.equal(await get(), 'a 503')
  assert.deepEqual([state('a'), breaker.of('a').openings], ['open', 2])
})

test('503 that asks for a pause is none: seconds, a date, or what cannot be read', async (t) => {
  const { behaviour, get, state } = await start(t, 'ab', { breaker: { failures: 1 } })
  for (const hint of ['1', '10', '0.5', 'Fri, 31 Dec 2100 23:59:59 GMT', 'soon', '']) {
    behaviour['a'] = saying(hint)
    assert.equal(await get(), 'a 503')
    assert.equal(state('a'), 'closed', hint)
  }
})

/** What a backend says to a client that asks too much. */
const limited: Behaviour = (response) => void response.writeHead(429, { 'retry-after': '60' }).end('slow down')
const failing: Behaviour = (response) => void response.writeHead(502).end()

test('429 is about one client: it is no failure, and ends no row of failures', async (t) => {
  const { behaviour, get, state, breaker } = await start(t, 'a', {
    breaker: { failures: 3, rate: { calls: 10, minimumCalls: 4, failureShare: 0.5 } },
  })
  behaviour['a'] = limited
  for (let count = 0; count < 20; count++) assert.equal(await get(), 'a 429')
  assert.deepEqual([state('a'), breaker.of('a').failures], ['closed', []])
  behaviour['a'] = failing
  await get()
  await get()
  behaviour['a'] = limited
  await get()
  behaviour['a'] = failing
  assert.equal(state('a'), 'closed')
  await get()
  assert.equal(state('a'), 'open')
})

test('429 on trial closes no circuit and opens none: its slot is the next one’s', async (t) => {
  const { behaviour, clock, get, state, trip, breaker } = await start(t, 'ab')
  await trip()
  clock.advance(10_000)
  behaviour['a'] = limited
  assert.equal(await get(), 'a 429')
  assert.deepEqual([state('a'), breaker.of('a').trials, breaker.of('a').openings], ['half-open', 0, 1])
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  assert.equal(state('a'), 'closed')
})

test('429 is a failure where the option statuses has it', async (t) => {
  const { behaviour, get, state } = await start(t, 'ab', { breaker: { failures: 1, statuses: [429] } })
  behaviour['a'] = limited
  assert.equal(await get(), 'a 429')
  assert.equal(state('a'), 'open')
})
