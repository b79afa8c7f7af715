import type { BackendSet, BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startBackends, unusedOrigin } from '../support/backend.ts'
import { until } from '../support/until.ts'

async function start(
  t: TestContext,
  backends: NonNullable<BalancerOptions['backends']>,
  options: BalancerOptions = {},
) {
  const { app, url } = await startApp(t, { backends, ...options })
  const { balancer } = app
  const changes: [now: BackendSet, before: BackendSet][] = []
  balancer.addHook('onBackendsChange', (now, before) => void changes.push([now, before]))
  return {
    url,
    balancer,
    changes,
    /** Who answers so many requests, one after the other. */
    async whoAnswers(count: number): Promise<string[]> {
      const names = []
      for (let index = 0; index < count; index++) names.push((await ask(url)).body)
      return names
    },
  }
}

const stale = { code: 'FST_BALANCER_STALE_REVISION', statusCode: 412 }
const unknown = { code: 'FST_BALANCER_UNKNOWN_BACKEND', statusCode: 404 }

test('a list with faults changes nothing, and the error names every one of them', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { balancer, changes, whoAnswers } = await start(t, [
    { url: a!.url, id: 'a' },
    { url: b!.url, id: 'b' },
  ])
  const before = balancer.set
  const views = JSON.stringify(balancer.backends)
  const faulty = [
    { url: a!.url, id: 'a', weight: 9 },
    'nowhere',
    { url: 'ftp://127.0.0.1', id: 'f' },
    { url: `${b!.url}/path?query`, id: 'p' },
    { url: b!.url, id: 'a' },
    { url: b!.url, id: 'w', weight: 0 },
    { url: b!.url, id: 'm', maxInFlight: 1_000_000 },
    { url: b!.url, id: 'u', wieght: 1 },
    { url: 'http://name:word@127.0.0.1', id: 'c' },
  ] as NonNullable<BalancerOptions['backends']>
  await assert.rejects(balancer.setBackends(faulty), (error: Error & { code: string; statusCode: number }) => {
    assert.deepEqual([error.code, error.statusCode], ['FST_BALANCER_BAD_OPTIONS', 400])
    const places = [
      'backends.1.url',
      'backends.2.url',
      'backends.3.url',
      'backends.4.id',
      'backends.5.weight',
      'backends.6.maxInFlight',
      'backends.7.wieght',
      'backends.8.url',
    ]
    for (const place of places) assert.ok(error.message.includes(place), `${place} is not in: ${error.message}`)
    assert.doesNotMatch(error.message, /backends\.0[.:]/)
    assert.doesNotMatch(error.message, /:word/)
    return true
  })
  assert.equal(balancer.set, before)
  assert.equal(JSON.stringify(balancer.backends), views)
  assert.deepEqual(changes, [])
  assert.deepEqual(await whoAnswers(4), ['a', 'b', 'a', 'b'])
})

test('one backend with a fault is not added, and one change with a fault is not made', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  const before = balancer.set
  const bad = { code: 'FST_BALANCER_BAD_OPTIONS' }
  await assert.rejects(balancer.add({ url: a!.url, id: 'a' }), bad)
  await assert.rejects(balancer.add('https://'), bad)
  await assert.rejects(balancer.update('a', { weight: -1 }), bad)
  await assert.rejects(balancer.update('a', { nonsense: true } as object), bad)
  assert.equal(balancer.set, before)
  assert.equal(balancer.backend('a').weight, 1)
})

test('backends are added, changed and removed while requests go on', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { balancer, changes, whoAnswers } = await start(t, [{ url: a!.url, id: 'a' }])
  assert.deepEqual(await whoAnswers(2), ['a', 'a'])

  const added = await balancer.add({ url: b!.url, id: 'b', tags: ['new'] })
  assert.equal(added, balancer.set)
  assert.deepEqual([added.revision, added.all.map(({ id }) => id)], [2, ['a', 'b']])
  assert.deepEqual((await whoAnswers(4)).sort(), ['a', 'a', 'b', 'b'])

  await balancer.update('b', { weight: 3, zone: 'z', tags: [] })
  const { weight, zone, tags } = balancer.backend('b')
  assert.deepEqual({ weight, zone, tags }, { weight: 3, zone: 'z', tags: [] })
  assert.deepEqual((await whoAnswers(8)).sort(), ['a', 'a', 'b', 'b', 'b', 'b', 'b', 'b'])

  const removed = await balancer.remove('a')
  assert.deepEqual([removed.revision, removed.all.map(({ id }) => id)], [4, ['b']])
  assert.deepEqual(await whoAnswers(2), ['b', 'b'])
  assert.deepEqual(
    changes.map(([now, before]) => [before.revision, now.revision]),
    [
      [1, 2],
      [2, 3],
      [3, 4],
    ],
  )
})

test('a set that has been handed out does not change any more', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  const before = balancer.set
  await balancer.add(b!.url)
  assert.deepEqual([before.all.length, before.revision], [1, 1])
  assert.ok(Object.isFrozen(before) && Object.isFrozen(before.all) && Object.isFrozen(before.available))
})

test('a change that was built on another revision is refused', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  await balancer.setBackends([{ url: a!.url, id: 'a' }], { revision: 1 })
  const before = balancer.set
  await assert.rejects(balancer.setBackends([b!.url], { revision: 1 }), stale)
  await assert.rejects(balancer.add(b!.url, { revision: 3 }), stale)
  await assert.rejects(balancer.update('a', { weight: 2 }, { revision: 1 }), stale)
  await assert.rejects(balancer.remove('a', { revision: 1 }), stale)
  assert.equal(balancer.set, before)

  // Of two that were built on the same one, the first is made.
  const both = await Promise.allSettled([
    balancer.add({ url: b!.url, id: 'b' }, { revision: 2 }),
    balancer.add({ url: b!.url, id: 'c' }, { revision: 2 }),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.deepEqual(
    balancer.backends.map(({ id }) => id),
    ['a', 'b'],
  )
})

test('changes made at the same time are all made, one after the other', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  await Promise.all(Array.from({ length: 20 }, (_, index) => balancer.add({ url: a!.url, id: `a${index}` })))
  assert.equal(balancer.set.revision, 21)
  assert.equal(balancer.backends.length, 21)
})

test('a backend that is not there is not changed, removed or drained', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  await assert.rejects(balancer.update('nobody', { weight: 2 }), unknown)
  await assert.rejects(balancer.remove('nobody'), unknown)
  await assert.rejects(balancer.drain('nobody'), unknown)
  assert.throws(() => balancer.ready('nobody'), unknown)
  assert.throws(() => balancer.backend('nobody'), unknown)
  assert.equal(balancer.set.revision, 1)
})

test('a kept backend keeps its object, its counters, its vetoes and its connections', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const list = [
    { url: a!.url, id: 'a' },
    { url: b!.url, id: 'b' },
  ]
  const { balancer, whoAnswers } = await start(t, list)
  await whoAnswers(4)
  const object = balancer.backend('a')
  const sockets = [...a!.sockets]
  balancer.veto(balancer.backend('b'), { by: 'test', reason: 'closed' })

  await balancer.setBackends([list[1]!, { ...list[0]!, weight: 7, priority: 0, tags: ['kept'] }])
  assert.equal(balancer.backend('a'), object)
  assert.deepEqual([object.weight, object.tags, object.requests, object.outcomes.ok], [7, ['kept'], 2, 2])
  assert.deepEqual(
    balancer.backends.map(({ id, available }) => [id, available]),
    [
      ['b', false],
      ['a', true],
    ],
  )
  assert.deepEqual(await whoAnswers(3), ['a', 'a', 'a'])
  assert.deepEqual([...a!.sockets], sockets)
  assert.equal(object.requests, 5)
})

test('a backend at another address is another backend, whatever its id', async (t) => {
  let finish: (() => void) | undefined
  const slow = await startBackend(t, (_incoming, response) => {
    response.write('slow ')
    finish = () => response.end('and done')
  })
  const [b] = await startBackends(t, 'b')
  const { url, balancer, whoAnswers } = await start(t, [{ url: slow.url, id: 'same' }])
  const before = balancer.backend('same')
  const answer = ask(url)
  await until('the request is under way', () => slow.received.length === 1)
  await balancer.setBackends([{ url: b!.url, id: 'same' }])
  const now = balancer.backend('same')
  assert.notEqual(now, before)
  assert.deepEqual([now.requests, before.requests, before.inFlight], [0, 1, 1])
  assert.deepEqual(await whoAnswers(2), ['b', 'b'])
  assert.equal(before.requests, 1)

  // What it had is finished; then its connections are closed.
  assert.equal(slow.sockets.size, 1)
  finish!()
  assert.deepEqual([(await answer).body, (await answer).whole], ['slow and done', true])
  await until('its connections are closed', () => slow.sockets.size === 0)
  assert.equal(now.inFlight, 0)
})

test('what is in flight at a backend that is removed is finished; then its connections close', async (t) => {
  let finish: (() => void) | undefined
  const slow = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/slow') {
      response.write('half ')
      finish = () => response.end('and half')
    } else response.end('quick')
  })
  const [b] = await startBackends(t, 'b')
  const { url, balancer, whoAnswers } = await start(t, [{ url: slow.url, id: 'a' }])
  // One idle connection and one in use.
  const answer = ask(`${url}/slow`)
  await until('it is in flight', () => slow.received.length === 1)
  assert.equal((await ask(url)).body, 'quick')
  await balancer.setBackends([b!.url])
  assert.deepEqual(await whoAnswers(3), ['b', 'b', 'b'])
  assert.equal(slow.received.length, 2)
  finish!()
  assert.deepEqual([(await answer).body, (await answer).whole], ['half and half', true])
  await until('its connections are closed', () => slow.sockets.size === 0)
})

test('what is left at a backend that is removed is cut when its time is over', async (t) => {
  const hanging = await startBackend(t, () => {})
  const { url, balancer } = await start(t, [{ url: hanging.url, id: 'a' }], { failureHeader: true })
  const answer = ask(url)
  await until('it is in flight', () => hanging.received.length === 1)
  await balancer.remove('a', { deadline: 50, force: true })
  assert.equal((await answer).headers['x-balancer-failure'], 'drain-deadline')
  await until('its connections are closed', () => hanging.sockets.size === 0)
})

test('an empty set answers 503, and takes requests again when there is somebody', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { url, balancer, whoAnswers } = await start(t, [])
  assert.equal((await ask(url)).status, 503)
  await balancer.add(a!.url)
  assert.deepEqual(await whoAnswers(1), ['a'])
  await balancer.setBackends([], { force: true })
  assert.equal((await ask(url)).status, 503)
})

test('newcomers are proposed before they are in the set, and enter it with the vetoes they were given', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const { url, balancer, whoAnswers } = await start(t, [{ url: a!.url, id: 'a' }])
  const proposed: string[][] = []
  let judge: (() => void) | undefined
  balancer.addHook('onBackendsPropose', async (candidates) => {
    proposed.push(candidates.map(({ id }) => id))
    await new Promise<void>((resolve) => (judge = resolve))
    return candidates
      .filter(({ id }) => id === 'dead')
      .map((backend) => ({ backend, veto: { by: 'probe', reason: 'it does not answer' } }))
  })
  balancer.addHook('onBackendsPropose', () => {
    throw new Error('a hook that breaks says nothing')
  })
  const change = balancer.setBackends([
    { url: a!.url, id: 'a' },
    { url: b!.url, id: 'b' },
    { url: await unusedOrigin(), id: 'dead' },
  ])
  await until('they are proposed', () => judge !== undefined)
  // Until they are judged, nothing has changed.
  assert.equal(balancer.set.revision, 1)
  assert.deepEqual(await whoAnswers(2), ['a', 'a'])
  judge!()
  const now = await change
  assert.deepEqual(proposed, [['b', 'dead']])
  assert.deepEqual(
    now.available.map(({ id }) => id),
    ['a', 'b'],
  )
  const [veto] = balancer.backend('dead').vetoes
  assert.deepEqual([veto!.by, veto!.hard], ['probe', false])
  assert.deepEqual(new Set(await whoAnswers(6)), new Set(['a', 'b']))
  assert.equal(balancer.backend('dead').requests, 0)

  veto!.lift()
  assert.equal(balancer.set.available.length, 3)
  assert.equal((await ask(url)).status, 200)
})

test('nobody is proposed when nobody is new', async (t) => {
  const [a] = await startBackends(t, 'a')
  const { balancer } = await start(t, [{ url: a!.url, id: 'a' }])
  let asked = 0
  balancer.addHook('onBackendsPropose', () => void asked++)
  await balancer.update('a', { weight: 3 })
  await balancer.setBackends([{ url: a!.url, id: 'a' }])
  assert.equal(asked, 0)
})
