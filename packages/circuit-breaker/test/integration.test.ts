import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { until } from '../../../test/support/until.ts'
import type { CircuitNotice, Hold } from '../src/index.ts'
import { answering, broken, good, silent, start, truncated, type Stage } from './stage.ts'

const row = '3 failures in a row, at most 10 s apart'

/** Opens a's circuit, waits until it is half-open, and sends a trial there that is not answered. */
async function trial({ behaviour, clock, trip, state, url, backends, breaker }: Stage, path = '/trial') {
  await trip('a')
  behaviour['a'] = silent
  clock.advance(10_000)
  assert.equal(state('a'), 'half-open')
  const before = backends['a']!.received.length
  const leaving = new AbortController()
  const answer = ask(url + path, { signal: leaving.signal })
  await until('the trial is there', () => backends['a']!.received.length > before)
  assert.equal(breaker.of('a').trials, 1)
  return { answer, leave: () => leaving.abort() }
}

const vetoesOf = ({ balancer }: Stage, id = 'a') =>
  balancer.backend(id).vetoes.map(({ by, hard, reason }) => `${by} ${hard ? 'hard' : 'soft'} ${reason}`)

test('opens after three failures no further than 10 s apart, and is half-open after 10 s', async (t) => {
  const stage = await start(t, 'ab')
  const { behaviour, get, clock, state } = stage
  behaviour['a'] = broken
  for (const pause of [0, 10_000, 10_001, 10_000]) {
    clock.advance(pause)
    assert.equal(await get(), '- 502')
  }
  assert.equal(state('a'), 'closed')
  clock.advance(10_000)
  assert.equal(await get(), '- 502')
  assert.equal(state('a'), 'open')
  assert.deepEqual(vetoesOf(stage), [`circuit-breaker soft open: ${row}`])
  assert.equal(await get(), 'b 200')

  behaviour['a'] = good
  clock.advance(9999)
  assert.equal(await get(), 'b 200')
  clock.advance(1)
  assert.deepEqual([state('a'), vetoesOf(stage)], ['half-open', []])
  assert.equal(await get(), 'a 200')
  assert.deepEqual([state('a'), vetoesOf(stage)], ['closed', []])
  assert.deepEqual(stage.lines(), [
    `40 circuit of backend a open for 10 s: ${row}`,
    '30 circuit of backend a half-open: was open for 10 s',
    '30 circuit of backend a closed: a trial succeeded',
  ])
})

test('a success between failures keeps it closed', async (t) => {
  const { behaviour, get, state } = await start(t, 'a')
  for (const one of [broken, broken, good, broken, broken]) {
    behaviour['a'] = one
    await get()
  }
  assert.equal(state('a'), 'closed')
})

test('half-open, exactly one goes there, and the others go elsewhere', async (t) => {
  const stage = await start(t, 'abc', { balancer: { policy: 'round-robin' } })
  const { behaviour, get, clock, state, backends, url } = stage
  behaviour['a'] = broken
  while (state('a') === 'closed') await get()
  clock.advance(10_000)
  let held: ServerResponse | undefined
  behaviour['a'] = (response) => void (held = response)
  const counted = () => ['a', 'b', 'c'].map((id) => backends[id]!.received.length)
  const before = counted()
  const answers = Array.from({ length: 30 }, async () => (await ask(url)).headers['x-backend'])
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count)
  await until('all have arrived', () => sum(counted()) === sum(before) + 30)
  assert.equal(counted()[0], before[0]! + 1)
  assert.deepEqual(
    [state('a'), vetoesOf(stage)],
    ['half-open', ['circuit-breaker soft half-open: a trial is in progress']],
  )
  behaviour['a'] = good
  held!.end('good')
  const counts = Object.groupBy(await Promise.all(answers), String)
  assert.equal(counts['a']!.length, 1)
  // Fair shares, although one of three is left out.
  assert.ok(Math.abs(counts['b']!.length - counts['c']!.length) <= 1)
  assert.deepEqual([state('a'), vetoesOf(stage)], ['closed', []])
})

test('a failed trial opens it for twice as long', async (t) => {
  const { behaviour, get, clock, state, trip, breaker } = await start(t, 'ab')
  await trip()
  clock.advance(10_000)
  assert.equal(await get(), '- 502')
  assert.deepEqual([state('a'), breaker.of('a').openings], ['open', 2])
  clock.advance(19_999)
  assert.equal(state('a'), 'open')
  clock.advance(1)
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  assert.equal(state('a'), 'closed')
})

test('a client that leaves gives its slot to the next, and says nothing', async (t) => {
  const stage = await start(t, 'ab')
  const { leave, answer } = await trial(stage)
  assert.equal(await stage.get(), 'b 200')
  leave()
  assert.equal((await answer).status, 0)
  await until('the slot is free', () => stage.breaker.of('a').trials === 0)
  assert.deepEqual([stage.state('a'), vetoesOf(stage)], ['half-open', []])
  stage.behaviour['a'] = good
  assert.equal(await stage.get(), 'a 200')
  assert.equal(stage.state('a'), 'closed')
})

test('clients that leave open nothing', async (t) => {
  const { url, behaviour, backends, state, balancer } = await start(t, 'a')
  behaviour['a'] = silent
  for (let count = 1; count <= 4; count++) {
    const leaving = new AbortController()
    const answer = ask(url, { signal: leaving.signal })
    await until('it is there', () => backends['a']!.received.length === count)
    leaving.abort()
    await answer
    await until('it has ended', () => balancer.backend('a').inFlight === 0)
  }
  assert.equal(balancer.backend('a').outcomes['client-gone'], 4)
  assert.equal(state('a'), 'closed')
})

test('a trial that takes too long has failed, though nobody asks', async (t) => {
  const stage = await start(t, 'ab', { balancer: { timeouts: { headers: 0 } } })
  const { leave } = await trial(stage)
  stage.clock.advance(29_999)
  assert.equal(stage.state('a'), 'half-open')
  stage.clock.advance(1)
  assert.deepEqual(stage.lines().at(-1), '40 circuit of backend a open for 20 s: a trial took longer than 30 s')
  assert.deepEqual(vetoesOf(stage), ['circuit-breaker soft open: a trial took longer than 30 s'])
  leave()
})

test('a trial is judged by its headers: a stream without end does not keep the backend waiting', async (t) => {
  const stage = await start(t, 'ab')
  const { behaviour, get, state, clock, trip, url } = stage
  await trip()
  clock.advance(10_000)
  behaviour['a'] = (response) => void response.writeHead(200).write('and so on')
  const leaving = new AbortController()
  const stream = ask(url, { signal: leaving.signal })
  await until('it is closed', () => state('a') === 'closed')
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  leaving.abort()
  await stream
  assert.equal(state('a'), 'closed')
})

test('statuses and truncated bodies count as failures, other statuses do not', async (t) => {
  const { behaviour, get, state, breaker } = await start(t, 'ab')
  behaviour['a'] = answering(500)
  for (let count = 0; count < 5; count++) assert.equal(await get(), 'a 500')
  for (const one of [answering(503), truncated, answering(504)]) {
    assert.equal(state('a'), 'closed')
    behaviour['a'] = one
    await get()
  }
  await until('it is open', () => state('a') === 'open')
  assert.deepEqual(
    breaker.of('a').failures.map(({ cause }) => cause),
    ['status 503', 'body-truncated', 'status 504'],
  )
})

test('a trial that is answered with such a status has failed', async (t) => {
  const { behaviour, get, state, clock, trip } = await start(t, 'ab')
  await trip()
  clock.advance(10_000)
  behaviour['a'] = answering(503)
  assert.equal(await get(), 'a 503')
  assert.equal(state('a'), 'open')
})

test('a late outcome of an earlier state moves nothing', async (t) => {
  const { behaviour, get, state, clock, trip, url, backends, breaker } = await start(t, 'ab')
  const held: ServerResponse[] = []
  behaviour['a'] = (response) => void held.push(response)
  const late = [ask(url), ask(url)]
  await until('both are there', () => held.length === 2)
  await trip()
  held[0]!.end('good')
  assert.equal((await late[0]!).status, 200)
  assert.equal(state('a'), 'open')
  clock.advance(10_000)
  held[1]!.socket!.destroy()
  assert.equal((await late[1]!).status, 502)
  assert.deepEqual([state('a'), breaker.of('a').failures.length], ['half-open', 3])
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  assert.deepEqual([state('a'), backends['b']!.received.length], ['closed', 0])
})

test('when all are open there is panic: requests go through, and say nothing of the circuits', async (t) => {
  const { behaviour, get, state, clock, trip, balancer } = await start(t, 'ab')
  await trip('a')
  await trip('b')
  assert.equal(balancer.set.panicking, true)
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  behaviour['a'] = broken
  for (let count = 0; count < 5; count++) assert.equal(await get(), '- 502')
  assert.equal(state('a'), 'open')
  behaviour['a'] = good
  clock.advance(10_000)
  assert.deepEqual([state('a'), balancer.set.panicking], ['half-open', false])
  assert.equal(await get(), 'a 200')
  assert.equal(state('a'), 'closed')
})

test('while the only one is on trial, the others are not turned away', async (t) => {
  const stage = await start(t, 'a')
  const { leave } = await trial(stage)
  assert.equal(stage.balancer.set.panicking, true)
  stage.behaviour['a'] = good
  assert.equal(await stage.get(), 'a 200')
  // It went in panic, and was no trial.
  assert.equal(stage.state('a'), 'half-open')
  leave()
})

test('without panic, all others than the trial are turned away', async (t) => {
  const stage = await start(t, 'a', { balancer: { panicThreshold: false } })
  stage.behaviour['a'] = broken
  for (let count = 0; count < 3; count++) assert.equal(await stage.get(), '- 502')
  assert.equal(await stage.get(), '- 503')
  stage.clock.advance(10_000)
  stage.behaviour['a'] = silent
  const leaving = new AbortController()
  const answer = ask(stage.url, { signal: leaving.signal })
  await until('the trial is there', () => stage.backends['a']!.received.length === 4)
  assert.equal(await stage.get(), '- 503')
  leaving.abort()
  await answer
  stage.behaviour['a'] = good
  await until('the slot is free', () => stage.breaker.of('a').trials === 0)
  assert.equal(await stage.get(), 'a 200')
})

test('while the preferred one is on trial, those of lower priority take over', async (t) => {
  const stage = await start(t, 'ab')
  await stage.balancer.update('b', { priority: 1 })
  const { leave } = await trial(stage)
  assert.equal(await stage.get(), 'b 200')
  assert.equal(stage.balancer.set.panicking, false)
  leave()
})

test('those who wait in the queue go one at a time to what is on trial', async (t) => {
  const stage = await start(t, 'ab', { balancer: { timeouts: { queue: 0 }, pool: { connections: 1 } } })
  const { behaviour, backends, clock, trip, url, breaker, balancer } = stage
  await trip()
  behaviour['b'] = silent
  const leaving = new AbortController()
  const busy = ask(url, { signal: leaving.signal })
  await until('b is busy', () => backends['b']!.received.length === 1)
  const waiting = [ask(url), ask(url), ask(url)]
  await until('they wait', () => balancer.queue.length === 3)
  let held: ServerResponse | undefined
  const before = backends['a']!.received.length
  behaviour['a'] = (response) => void (held = response)
  clock.advance(10_000)
  await until('the trial is there', () => held !== undefined)
  assert.deepEqual([breaker.of('a').trials, balancer.queue.length], [1, 2])
  assert.equal(backends['a']!.received.length, before + 1)
  behaviour['a'] = good
  held!.end('good')
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ status }) => status),
    [200, 200, 200],
  )
  leaving.abort()
  await busy
})

test('isolated by hand: an order, which panic does not override', async (t) => {
  const stage = await start(t, 'ab')
  const { breaker, get, state, clock } = stage
  const hold = breaker.isolate('a', { reason: 'under repair' })
  assert.deepEqual(vetoesOf(stage), ['circuit-breaker hard isolated: under repair'])
  assert.equal(await get(), 'b 200')
  const second = breaker.isolate('b', { ttl: 5000 })
  assert.equal(await get(), '- 503')
  hold.release()
  hold.release()
  assert.equal(await get(), 'a 200')
  clock.advance(5000)
  assert.deepEqual([state('a'), state('b')], ['closed', 'closed'])
  second.release()
  breaker.isolate('a')
  breaker.isolate('a')
  assert.equal(await get(), 'b 200')
  breaker.release('a')
  assert.equal(await get(), 'a 200')
})

test('isolating an open one makes the opinion an order, without a gap', async (t) => {
  const stage = await start(t, 'ab')
  const { breaker, trip, clock, balancer } = stage
  await trip()
  const available: string[] = []
  const listener = () => void available.push(balancer.set.available.map(({ id }) => id).join(''))
  subscribe('balancer-core:backends:change', listener)
  t.after(() => unsubscribe('balancer-core:backends:change', listener))
  const hold = breaker.isolate('a')
  await Promise.resolve()
  assert.deepEqual(vetoesOf(stage), ['circuit-breaker hard isolated: held open by hand'])
  clock.advance(1e6)
  assert.equal(stage.state('a'), 'isolated')
  assert.deepEqual(available, ['b'])
  hold.release()
  assert.deepEqual([stage.state('a'), vetoesOf(stage)], ['closed', []])
})

test('held closed, it does not open', async (t) => {
  const { breaker, behaviour, get, state } = await start(t, 'ab')
  const hold = breaker.hold('a', 'closed')
  behaviour['a'] = broken
  for (let count = 0; count < 5; count++) assert.equal(await get(), '- 502')
  assert.equal(state('a'), 'closed')
  hold.release()
  for (let count = 0; count < 3; count++) await get()
  assert.equal(state('a'), 'open')
})

test('options of single backends', async (t) => {
  const { behaviour, get, state, breaker } = await start(t, 'abc', {
    breaker: { failures: 2, backends: { a: { failures: 1, statuses: [418] }, b: false } },
  })
  behaviour['a'] = answering(418)
  assert.equal(await get(), 'a 418')
  assert.equal(state('a'), 'open')
  behaviour['b'] = broken
  for (let count = 0; count < 5; count++) assert.equal(await get(), '- 502')
  assert.deepEqual(
    breaker.views.map(({ backend }) => backend),
    ['a', 'c'],
  )
  const none = { code: 'FST_BALANCER_CIRCUIT_NO_CIRCUIT', statusCode: 404, message: "The backend 'b' has no circuit" }
  for (const ask1 of [() => breaker.of('b'), () => breaker.isolate('b'), () => breaker.release('b')])
    assert.throws(ask1, none)
  assert.throws(() => breaker.of('x'), { code: 'FST_BALANCER_UNKNOWN_BACKEND' })
})

test('a backend that has too much to do, and says for how long, is not broken: closed or half-open', async (t) => {
  const { behaviour, get, state, trip, clock, breaker } = await start(t, 'ab')
  const busy = (response: ServerResponse) =>
    void response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end('busy')
  behaviour['a'] = busy
  for (let count = 0; count < 5; count++) assert.equal(await get(), 'a 503')
  assert.deepEqual([state('a'), breaker.of('a').failures], ['closed', []])
  await trip()
  clock.advance(10_000)
  behaviour['a'] = busy
  for (let count = 0; count < 2; count++) assert.equal(await get(), 'a 503')
  assert.deepEqual([state('a'), breaker.of('a').trials], ['half-open', 0])
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  assert.equal(state('a'), 'closed')
})

test('opens at a share of slow attempts', async (t) => {
  const { behaviour, get, state, clock, breaker, balancer } = await start(t, 'ab', {
    breaker: { rate: { calls: 4, minimumCalls: 4, slowAfter: 200, slowShare: 0.5 } },
  })
  const taking = (duration: number) => (response: ServerResponse) => {
    clock.advance(duration)
    response.end('good')
  }
  // It is the headers that count: the body comes a second later.
  balancer.addHook('onAttemptResponse', () => clock.advance(1000))
  for (const duration of [200, 201, 200, 201]) {
    assert.equal(state('a'), 'closed')
    behaviour['a'] = taking(duration)
    assert.equal(await get(), 'a 200')
  }
  assert.equal(breaker.of('a').reason, '2 of 4 calls took longer than 200 ms (50 % of the last 4 calls)')
  assert.equal(state('a'), 'open')
})

test('a backend that stays keeps its circuit; one that goes leaves nothing behind', async (t) => {
  const stage = await start(t, 'ab')
  const { balancer, breaker, state, trip, clock } = stage
  await trip()
  await balancer.update('a', { weight: 3 })
  assert.equal(state('a'), 'open')
  const gone = balancer.backend('a')
  const { pending } = clock
  await balancer.remove('a')
  assert.deepEqual(gone.vetoes, [])
  assert.equal(clock.pending, pending - 1)
  const another = await startBackend(t, undefined, 'another')
  await balancer.add({ id: 'a', url: another.url })
  assert.deepEqual(
    breaker.views.map(({ backend, state: now }) => `${backend} ${now}`),
    ['b closed', 'a closed'],
  )
})

test('attempts at a backend that has left say nothing', async (t) => {
  const { behaviour, url, backends, balancer, breaker } = await start(t, 'ab')
  const held: ServerResponse[] = []
  behaviour['a'] = (response) => void held.push(response)
  const answers = [ask(url), ask(url), ask(url)]
  await until('they are there', () => held.length === 3)
  await balancer.remove('a')
  for (const response of held) response.socket!.destroy()
  await Promise.all(answers)
  await balancer.add({ id: 'a', url: backends['a']!.url })
  assert.deepEqual(
    breaker.views.map(({ state, failures }) => [state, failures.length]),
    [
      ['closed', 0],
      ['closed', 0],
    ],
  )
})

test('a view is plain data, and says what is next', async (t) => {
  const { breaker, trip, clock } = await start(t, 'ab')
  await trip()
  clock.advance(4000)
  const { since, failures, until: end, ...view } = breaker.of('a')
  const next = { changesIn: 6000, who: undefined }
  assert.deepEqual(view, { backend: 'a', state: 'open', reason: row, openings: 1, trials: 0, ...next })
  // It is open for 10 s, on this machine's own clock.
  assert.ok(Math.abs(end! - since - 10_000) < 1000)
  assert.ok(Math.abs(Date.now() - since) < 60_000)
  assert.deepEqual(
    failures.map(({ cause, duration }) => [cause, duration]),
    Array.from({ length: 3 }, () => ['reset-before-headers', 0]),
  )
  clock.advance(6000)
  const halfOpen = breaker.of('a')
  assert.deepEqual(
    [halfOpen.state, halfOpen.changesIn, halfOpen.until],
    ['half-open', undefined, undefined],
    'a trial may come at any time',
  )
  const [, other] = breaker.views
  assert.deepEqual(JSON.parse(JSON.stringify(other)), {
    backend: 'b',
    state: 'closed',
    since: other!.since,
    reason: 'new',
    openings: 0,
    trials: 0,
    failures: [],
  })
})

test('a veto carries what it rests on', async (t) => {
  const { balancer, trip } = await start(t, 'ab')
  await trip()
  const { failures, ...evidence } = balancer.backend('a').vetoes[0]!.evidence as { failures: unknown[] }
  assert.deepEqual(evidence, { state: 'open', rule: row, openings: 1, lasts: 10_000 })
  assert.equal(failures.length, 3)
})

test('whoever looks on is told of each change', async (t) => {
  const changes: CircuitNotice[] = []
  const listener = (message: unknown) => void changes.push(message as CircuitNotice)
  subscribe('circuit-breaker:change', listener)
  t.after(() => unsubscribe('circuit-breaker:change', listener))
  const { app, trip, clock } = await start(t, 'ab')
  await trip()
  clock.advance(10_000)
  assert.deepEqual(
    changes.map(({ at: _at, server, ...change }) => {
      assert.equal(server, app.server)
      return change
    }),
    [
      { balancer: 'default', backend: 'a', state: 'open', before: 'closed', reason: row },
      { balancer: 'default', backend: 'a', state: 'half-open', before: 'open', reason: 'was open for 10 s' },
    ],
  )
})

test('one that has closed again is warmed up', async (t) => {
  const { balancer, behaviour, get, clock, trip } = await start(t, 'ab', { balancer: { slowStart: 1000 } })
  await trip()
  behaviour['a'] = good
  clock.advance(10_000)
  // Slow start, which began when the veto was lifted, is over by then.
  clock.advance(2000)
  assert.equal(balancer.backend('a').effectiveWeight, 1)
  assert.equal(await get(), 'a 200')
  assert.equal(balancer.backend('a').effectiveWeight, 0.1)
})

test('one that has closed again is warmed up also where it had room for more trials', async (t) => {
  const { balancer, behaviour, get, clock, trip } = await start(t, 'ab', {
    balancer: { slowStart: 1000 },
    breaker: { trials: 2 },
  })
  await trip()
  behaviour['a'] = good
  clock.advance(12_000)
  assert.equal(balancer.backend('a').effectiveWeight, 1)
  assert.equal(await get(), 'a 200')
  assert.equal(balancer.backend('a').effectiveWeight, 0.1)
})

test('whoever isolates it on hearing of its veto leaves no veto behind', async (t) => {
  const stage = await start(t, 'ab')
  const { balancer, breaker, trip, state } = stage
  let hold: Hold | undefined
  const listener = () => {
    if (!balancer.backend('a').available) hold ??= breaker.isolate('a')
  }
  subscribe('balancer-core:backends:change', listener)
  t.after(() => unsubscribe('balancer-core:backends:change', listener))
  await assert.rejects(trip(), /'isolated'/)
  assert.deepEqual(vetoesOf(stage), ['circuit-breaker hard isolated: held open by hand'])
  hold!.release()
  assert.deepEqual([state('a'), vetoesOf(stage)], ['closed', []])
})

test('no timer is left after closing, and none is set later', async (t) => {
  const { app, breaker, trip, clock } = await start(t, 'ab')
  await trip()
  breaker.isolate('b', { ttl: 1000 })
  assert.ok(clock.pending >= 2)
  await app.close()
  assert.equal(clock.pending, 0)
  breaker.isolate('b', { ttl: 500 })
  assert.equal(clock.pending, 0)
})

test('without a breaker, failures veto nothing', async (t: TestContext) => {
  const { behaviour, get, balancer } = await start(t, 'ab', { breaker: false })
  behaviour['a'] = broken
  for (let count = 0; count < 10; count++) assert.equal(await get(), '- 502')
  assert.deepEqual(balancer.backend('a').vetoes, [])
})
