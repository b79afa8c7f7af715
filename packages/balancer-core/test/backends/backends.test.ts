import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Attempt } from '../../src/attempt/attempt.ts'
import { Balancer } from '../../src/balancer.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { Verdict } from '../../src/backends/list/proposal.ts'
import type { BalancerOptions } from '../../src/options.ts'

const a = { url: 'http://a.test', id: 'a' }
const b = { url: 'http://b.test', id: 'b' }
const c = { url: 'http://c.test', id: 'c' }

function balancing(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock()
  const balancer = new Balancer({ backends: [a, b], clock, ...options })
  t.after(() => balancer.close())
  const ids = () => balancer.backends.map(({ id }) => id).join('')
  const draining = () => balancer.set.draining.map(({ id }) => id).join('')
  return { balancer, clock, ids, draining }
}

/** An attempt that runs until it is ended. */
function running(balancer: Balancer, backend: Backend): { end(): void } {
  const attempt = { backend, exchange: {}, startedAt: 0, respondedAt: 0, onSweep: () => {} } as unknown as Attempt
  balancer.counts.attemptStarted(attempt)
  return { end: () => balancer.counts.attemptEnded(attempt, 'ok') }
}

const badOptions = { code: 'FST_BALANCER_BAD_OPTIONS', statusCode: 400 }
const staleRevision = { code: 'FST_BALANCER_STALE_REVISION', statusCode: 412 }
const unknownBackend = { code: 'FST_BALANCER_UNKNOWN_BACKEND', statusCode: 404 }

describe('the list', () => {
  test('begins as the options say, at revision 1', (t) => {
    const { balancer, ids } = balancing(t)
    assert.equal(ids(), 'ab')
    assert.equal(balancer.set.revision, 1)
    assert.equal(balancer.backends, balancer.set.all)
  })

  test('is replaced as a whole, in the order given', async (t) => {
    const { balancer, ids } = balancing(t)
    const before = balancer.set
    const now = await balancer.setBackends([c, 'http://d.test', a])
    assert.equal(now, balancer.set)
    assert.deepEqual(
      now.all.map(({ id, url }) => `${id} ${url}`),
      ['c http://c.test', 'http://d.test http://d.test', 'a http://a.test'],
    )
    assert.equal(now.revision, 2)
    assert.equal(before.all.map(({ id }) => id).join(''), 'ab')
    await balancer.setBackends([], { force: true })
    assert.equal(ids(), '')
    assert.equal(balancer.set.revision, 3)
  })

  test('keeps the object, counters and connections of a backend whose id and address are the same', async (t) => {
    const { balancer } = balancing(t)
    const kept = balancer.backend('a')
    const { pool } = kept
    kept.requests = 7
    await balancer.setBackends([c, { ...a, weight: 5, priority: 2, maxInFlight: 9, zone: 'z', tags: ['x'] }])
    assert.equal(balancer.backend('a'), kept)
    assert.equal(kept.pool, pool)
    assert.equal(kept.requests, 7)
    assert.deepEqual([kept.weight, kept.priority, kept.maxInFlight, kept.zone, kept.tags], [5, 2, 9, 'z', ['x']])
    assert.equal(pool.destroyed, false)
  })

  test('gives back defaults to what is no longer said of a kept backend', async (t) => {
    const { balancer } = balancing(t, {
      backends: [{ ...a, weight: 5, priority: 2, maxInFlight: 9, zone: 'z', tags: ['x'] }],
    })
    await balancer.setBackends([a])
    const { weight, priority, maxInFlight, zone, tags } = balancer.backend('a')
    assert.deepEqual([weight, priority, maxInFlight, zone, tags], [1, 0, 1024, undefined, []])
  })

  test('has another backend where an id gets another address', async (t) => {
    const { balancer } = balancing(t)
    const gone = balancer.backend('a')
    gone.requests = 7
    await balancer.setBackends([{ url: 'http://other.test', id: 'a' }, b])
    assert.notEqual(balancer.backend('a'), gone)
    assert.equal(balancer.backend('a').requests, 0)
    assert.equal(balancer.backend('a').url, 'http://other.test')
    await settled()
    assert.equal(gone.pool.destroyed, true)
  })

  test('can be added to, changed and taken from', async (t) => {
    const { balancer, ids } = balancing(t)
    await balancer.add(c)
    assert.equal(ids(), 'abc')
    await balancer.add('http://d.test')
    const before = balancer.backend('b')
    await balancer.update('b', { weight: 3, tags: ['canary'] })
    assert.equal(balancer.backend('b'), before)
    assert.deepEqual([before.weight, before.tags, before.priority], [3, ['canary'], 0])
    await balancer.update('b', { priority: 1 })
    assert.deepEqual([before.weight, before.tags, before.priority], [3, ['canary'], 1])
    await balancer.remove('a')
    assert.deepEqual(
      balancer.backends.map(({ id }) => id),
      ['b', 'c', 'http://d.test'],
    )
    assert.equal(balancer.set.revision, 6)
  })

  test('is not changed at all when anything of it is wrong, and every fault is named', async (t) => {
    const { balancer, ids } = balancing(t)
    const { set } = balancer
    await assert.rejects(
      balancer.setBackends([{ ...a, weight: 5 }, 'nowhere', { ...c, weight: 0 }, c, { ...c, maxInFlight: 2000 }]),
      {
        ...badOptions,
        message:
          "Bad balancer options: backends.1.url: 'nowhere' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000; " +
          'backends.2.weight: expected a whole number from 1 to 65535, got 0; ' +
          "backends.3.id: 'c' is already used by backends.2; backends.4.id: 'c' is already used by backends.2; " +
          'backends.4.maxInFlight: 2000 is above pool.connections (1024)',
      },
    )
    assert.equal(balancer.set, set)
    assert.equal(balancer.backend('a').weight, 1)
    await assert.rejects(balancer.add(a), badOptions)
    await assert.rejects(balancer.update('a', { weight: -1 }), badOptions)
    await assert.rejects(balancer.setBackends('http://a.test' as unknown as string[]), badOptions)
    assert.equal(balancer.set, set)
    // It can be changed after all that.
    await balancer.add(c)
    assert.equal(ids(), 'abc')
  })

  test('knows its backends by id', async (t) => {
    const { balancer } = balancing(t)
    assert.equal(balancer.backend('a').url, 'http://a.test')
    assert.throws(() => balancer.backend('x'), { ...unknownBackend, message: "There is no backend 'x'" })
    await assert.rejects(balancer.update('x', {}), unknownBackend)
    await assert.rejects(balancer.remove('x'), unknownBackend)
    await assert.rejects(balancer.drain('x'), unknownBackend)
    assert.throws(() => balancer.ready('x'), unknownBackend)
    assert.equal(balancer.set.revision, 1)
  })
})

describe('a change that asks for a revision', () => {
  test('is refused when the set has moved on, and names both', async (t) => {
    const { balancer } = balancing(t)
    await balancer.setBackends([a], { revision: 1 })
    await assert.rejects(balancer.setBackends([b], { revision: 1 }), {
      ...staleRevision,
      message: 'The set is at revision 2, not 1',
    })
    await assert.rejects(balancer.add(c, { revision: 3 }), staleRevision)
    await assert.rejects(balancer.update('a', {}, { revision: 1 }), staleRevision)
    await assert.rejects(balancer.remove('a', { revision: 1 }), staleRevision)
    assert.equal(balancer.set.revision, 2)
    await balancer.remove('a', { revision: 2, force: true })
    assert.equal(balancer.set.revision, 3)
  })

  test('is not disturbed by vetoes', async (t) => {
    const { balancer } = balancing(t)
    balancer.veto(balancer.backend('a'), { by: 'test', reason: 'opinion' })
    await balancer.add(c, { revision: 1 })
    assert.equal(balancer.set.revision, 2)
  })

  test('of two at once, the first is made', async (t) => {
    const { balancer, ids } = balancing(t)
    const results = await Promise.allSettled([
      balancer.setBackends([c], { revision: 1 }),
      balancer.setBackends([a], { revision: 1 }),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(ids(), 'c')
  })
})

describe('writers take turns', () => {
  test('each builds on what the one before has left', async (t) => {
    const { balancer, ids } = balancing(t)
    balancer.addHook('onBackendsPropose', async () => {
      await settled()
    })
    await Promise.all([
      balancer.add(c),
      balancer.add('http://d.test'),
      balancer.remove('a'),
      balancer.update('b', { weight: 2 }),
    ])
    assert.deepEqual(
      balancer.backends.map(({ id }) => id),
      ['b', 'c', 'http://d.test'],
    )
    assert.equal(balancer.backend('b').weight, 2)
    assert.equal(balancer.set.revision, 5)
    assert.notEqual(ids(), 'ab')
  })

  test('one that fails does not hold up the next', async (t) => {
    const { balancer, ids } = balancing(t)
    const results = await Promise.allSettled([balancer.add('nowhere'), balancer.add(c)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    assert.equal(ids(), 'abc')
  })

  test('one whose backend the one before has taken away is refused', async (t) => {
    const { balancer, ids } = balancing(t)
    const results = await Promise.allSettled([
      balancer.remove('a'),
      balancer.update('a', { weight: 2 }),
      balancer.remove('a'),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    )
    assert.equal(ids(), 'b')
    assert.equal(balancer.set.revision, 2)
  })

  test('one may change what the one before has added', async (t) => {
    const { balancer } = balancing(t)
    await Promise.all([balancer.add(c), balancer.update('c', { weight: 2 })])
    assert.equal(balancer.backend('c').weight, 2)
  })
})

describe('newcomers', () => {
  test('are proposed before they enter, and those that are kept are not', async (t) => {
    const { balancer, ids } = balancing(t)
    const seen: string[] = []
    balancer.addHook('onBackendsPropose', (candidates) => {
      seen.push(`${candidates.map(({ id }) => id).join('')} beside ${ids()}`)
    })
    await balancer.setBackends([a, c, 'http://d.test'])
    await balancer.update('a', { weight: 2 })
    await balancer.remove('a')
    assert.deepEqual(seen, ['chttp://d.test beside ab'])
  })

  test('enter with the vetoes that were laid on them, and nobody picks them before', async (t) => {
    const { balancer } = balancing(t)
    const judged = Promise.withResolvers<readonly Verdict[]>()
    const proposed = Promise.withResolvers<Backend>()
    balancer.addHook('onBackendsPropose', ([newcomer]) => {
      proposed.resolve(newcomer!)
      return judged.promise
    })
    const change = balancer.setBackends([a, c])
    const newcomer = await proposed.promise
    assert.equal(balancer.backends.map(({ id }) => id).join(''), 'ab', 'the old set is used meanwhile')
    judged.resolve([{ backend: newcomer, veto: { by: 'health-check', reason: 'not up yet' } }])
    const now = await change
    assert.equal(now.all[1], newcomer)
    assert.deepEqual(
      now.available.map(({ id }) => id),
      ['a'],
    )
    assert.equal(newcomer.vetoes[0]?.by, 'health-check')
  })

  test('may be vetoed while they are judged, and so may others', async (t) => {
    const { balancer } = balancing(t)
    balancer.addHook('onBackendsPropose', ([newcomer]) => {
      balancer.veto(newcomer!, { by: 'test', reason: 'opinion' })
      balancer.veto(balancer.backend('a'), { by: 'test', reason: 'opinion' })
    })
    await balancer.add(c)
    assert.deepEqual(
      balancer.set.available.map(({ id }) => id),
      ['b'],
    )
  })

  test('may be refused: then nothing is changed, each is named with its reason, and their connections are closed', async (t) => {
    const { balancer, ids } = balancing(t)
    const { set } = balancer
    const proposed: Backend[] = []
    balancer.addHook('onBackendsPropose', (candidates) => {
      proposed.push(...candidates)
      return candidates.map((backend) => ({ backend, refusal: `${backend.id} is down` }))
    })
    balancer.addHook('onBackendsPropose', ([backend]) => [{ backend: backend!, veto: { by: 'test', reason: 'odd' } }])
    await assert.rejects(balancer.setBackends([a, c, 'http://d.test']), {
      code: 'FST_BALANCER_REFUSED_BACKENDS',
      statusCode: 409,
      message: 'Refused, nothing was changed: c: c is down; http://d.test: http://d.test is down',
    })
    assert.equal(ids(), 'ab')
    assert.equal(balancer.set, set)
    assert.deepEqual(
      proposed.map(({ pool, vetoes }) => [pool.destroyed, vetoes.length]),
      [
        [true, 0],
        [true, 0],
      ],
    )
  })

  test('whose judge fails enter all the same', async (t) => {
    const { balancer, ids } = balancing(t)
    balancer.addHook('onBackendsPropose', async () => Promise.reject(new Error('the judge is ill')))
    await balancer.add(c)
    assert.equal(ids(), 'abc')
  })
})

describe('onBackendsChange', () => {
  test('is told once of each change, with both sets', async (t) => {
    const { balancer } = balancing(t)
    const changes: [number, number][] = []
    const sets: unknown[] = []
    balancer.addHook('onBackendsChange', (now, before) => {
      changes.push([now.revision, before.revision])
      sets.push(now, before)
    })
    const before = balancer.set
    const now = await balancer.add(c)
    assert.deepEqual(changes, [[2, 1]])
    assert.deepEqual(sets, [now, before])
    await assert.rejects(balancer.add('nowhere'))
    assert.equal(changes.length, 1)
  })

  test('is not told of vetoes, so that it may lay some', async (t) => {
    const { balancer } = balancing(t)
    let told = 0
    balancer.addHook('onBackendsChange', ({ all }) => {
      told++
      balancer.veto(all[0]!, { by: 'test', reason: 'opinion' })
    })
    balancer.veto(balancer.backend('b'), { by: 'test', reason: 'opinion' }).lift()
    assert.equal(told, 0)
    await balancer.add(c)
    assert.equal(told, 1)
    assert.deepEqual(
      balancer.set.available.map(({ id }) => id),
      ['b', 'c'],
    )
  })
})

describe('a backend that is removed', () => {
  test('without anything in flight is closed at once', async (t) => {
    const { balancer } = balancing(t)
    const { pool } = balancer.backend('a')
    await balancer.remove('a')
    await settled()
    assert.equal(pool.destroyed, true)
    assert.equal(balancer.backend('b').pool.destroyed, false)
  })

  test('finishes what it has, and is closed then', async (t) => {
    const { balancer, clock } = balancing(t)
    const backend = balancer.backend('a')
    const attempts = [running(balancer, backend), running(balancer, backend)]
    await balancer.remove('a')
    await settled()
    attempts[0]!.end()
    await settled()
    assert.equal(backend.pool.destroyed, false)
    attempts[1]!.end()
    await settled()
    assert.equal(backend.pool.destroyed, true)
    clock.advance(30_000)
  })

  test('is cut off at its deadline, which is the one of the options if none is given', async (t) => {
    const { balancer, clock } = balancing(t, { drainDeadline: 5000 })
    const [one, other] = [balancer.backend('a'), balancer.backend('b')]
    running(balancer, one)
    running(balancer, other)
    await balancer.remove('a')
    await balancer.remove('b', { deadline: 100, force: true })
    clock.advance(99)
    await settled()
    assert.equal(other.pool.destroyed, false)
    clock.advance(1)
    await settled()
    assert.equal(other.pool.destroyed, true)
    assert.equal(one.pool.destroyed, false)
    clock.advance(4900)
    await settled()
    assert.equal(one.pool.destroyed, true)
  })

  test('has its deadline kept, however short', async (t) => {
    const { balancer, clock } = balancing(t)
    const backend = balancer.backend('a')
    running(balancer, backend)
    await balancer.remove('a', { deadline: 1 })
    clock.advance(1)
    await settled()
    assert.equal(backend.pool.destroyed, true)
  })

  test('leaves no timer behind once it is idle', async (t) => {
    const { balancer, clock } = balancing(t)
    const timers = clock.pending
    const attempt = running(balancer, balancer.backend('a'))
    await balancer.remove('a')
    attempt.end()
    await settled()
    // That of the sweep ends by itself when it finds nothing.
    clock.advance(1000)
    assert.equal(clock.pending, timers)
  })

  test('with a deadline of 0 has all the time it needs', async (t) => {
    const { balancer, clock } = balancing(t)
    const backend = balancer.backend('a')
    const attempt = running(balancer, backend)
    await balancer.remove('a', { deadline: 0 })
    clock.advance(10_000_000)
    await settled()
    assert.equal(backend.pool.destroyed, false)
    attempt.end()
    await settled()
    assert.equal(backend.pool.destroyed, true)
  })

  test('may come back while it finishes, as another one', async (t) => {
    const { balancer } = balancing(t)
    const gone = balancer.backend('a')
    const attempt = running(balancer, gone)
    await balancer.remove('a')
    await balancer.add(a)
    assert.notEqual(balancer.backend('a'), gone)
    attempt.end()
    await settled()
    assert.equal(gone.pool.destroyed, true)
    assert.equal(balancer.backend('a').pool.destroyed, false)
  })

  test('is closed when the balancer is, however long it might have taken', async (t) => {
    const { balancer } = balancing(t)
    const backend = balancer.backend('a')
    const attempt = running(balancer, backend)
    await balancer.remove('a', { deadline: 0 })
    const closed = balancer.close()
    const wasDestroyed = backend.pool.destroyed
    attempt.end()
    await closed
    assert.equal(wasDestroyed, true)
  })
})

describe('a drain', () => {
  test('takes a backend out and answers true when it is idle', async (t) => {
    const { balancer } = balancing(t)
    const backend = balancer.backend('a')
    const attempt = running(balancer, backend)
    const drained = balancer.drain('a')
    assert.equal(backend.state, 'drain')
    assert.deepEqual(
      balancer.set.available.map(({ id }) => id),
      ['b'],
    )
    assert.equal(backend.vetoes[0]?.hard, true)
    attempt.end()
    assert.equal(await drained, true)
    assert.equal(backend.pool.destroyed, false)
    assert.equal(backend.state, 'drain', 'it stays out')
    assert.equal(balancer.set.revision, 1)
  })

  test('of an idle one is done at once', async (t) => {
    const { balancer, clock } = balancing(t, { drainDeadline: 5000 })
    const { pool } = balancer.backend('a')
    assert.equal(await balancer.drain('a'), true)
    clock.advance(5000)
    assert.equal(balancer.backend('a').pool, pool, 'its connections are kept')
  })

  test('keeps those who are bound to it until its deadline, however often it is idle', async (t) => {
    const { balancer, clock, draining } = balancing(t, { drainDeadline: 5000 })
    const backend = balancer.backend('a')
    await balancer.drain('a')
    assert.equal(draining(), 'a')
    clock.advance(4999)
    assert.equal(draining(), 'a')
    const { pool } = backend
    running(balancer, backend)
    clock.advance(1)
    assert.deepEqual([draining(), backend.state, backend.pool === pool], ['', 'drain', false])
    await settled()
    assert.equal(pool.destroyed, true, 'nobody waits for it, and still what is left is cut')
  })

  test('keeps nobody once it is in maintenance, is taken back, or has left', async (t) => {
    const { balancer, clock, draining } = balancing(t, { backends: [a, b, c] })
    for (const id of ['a', 'b', 'c']) await balancer.drain(id)
    assert.equal(draining(), 'abc')
    await balancer.maintain('a')
    balancer.ready('b')
    await balancer.remove('c')
    assert.equal(draining(), '')
    assert.equal(clock.pending, 1, 'maintenance goes before the drain, and does not end it')
    balancer.ready('a')
    assert.equal(clock.pending, 0)
  })

  for (const inTime of [true, false])
    test(`of one that is removed meanwhile answers whether it became idle: ${inTime}`, async (t) => {
      const { balancer, clock } = balancing(t)
      const attempt = running(balancer, balancer.backend('a'))
      let answer: boolean | undefined
      const drained = balancer.drain('a', { deadline: 0 }).then((idle) => (answer = idle))
      await balancer.remove('a', { deadline: 1000 })
      await settled()
      assert.equal(answer, undefined)
      if (inTime) attempt.end()
      else clock.advance(1000)
      assert.equal(await drained, inTime)
    })

  test('whose veto somebody else has lifted is over', async (t) => {
    const { balancer, clock, draining } = balancing(t, { drainDeadline: 5000 })
    const backend = balancer.backend('a')
    await balancer.drain('a')
    backend.vetoes[0]!.lift()
    const attempt = running(balancer, backend)
    const { pool } = backend
    clock.advance(3000)
    const again = balancer.drain('a')
    assert.equal(draining(), 'a')
    clock.advance(4999)
    assert.deepEqual([draining(), backend.pool === pool], ['a', true])
    attempt.end()
    assert.equal(await again, true)
  })

  test('is never overridden by panic', async (t) => {
    const { balancer } = balancing(t)
    await balancer.drain('a')
    await balancer.drain('b')
    assert.deepEqual(balancer.set.available, [])
  })

  test('cuts what is left at its deadline, answers false, and leaves a backend that can be used again', async (t) => {
    const { balancer, clock } = balancing(t, { drainDeadline: 5000 })
    const backend = balancer.backend('a')
    const { pool } = backend
    running(balancer, backend)
    const drained = balancer.drain('a')
    clock.advance(4999)
    await settled()
    assert.equal(pool.destroyed, false)
    clock.advance(1)
    assert.equal(await drained, false)
    assert.equal(pool.destroyed, true)
    assert.notEqual(backend.pool, pool)
    assert.equal(backend.pool.destroyed, false)
    balancer.ready('a')
    assert.equal(backend.state, 'ready')
    assert.equal(balancer.set.available.length, 2)
  })

  test('that was ended in time cuts nothing', async (t) => {
    const { balancer, clock } = balancing(t)
    const backend = balancer.backend('a')
    const { pool } = backend
    running(balancer, backend)
    const drained = balancer.drain('a', { deadline: 100 })
    balancer.ready('a')
    clock.advance(100)
    assert.equal(await drained, false)
    assert.equal(backend.pool, pool)
    assert.equal(pool.destroyed, false)
  })

  test('asked for again is one veto; it keeps its deadline, unless there is another', async (t) => {
    const { balancer, clock } = balancing(t)
    const backend = balancer.backend('a')
    const { pool } = backend
    running(balancer, backend)
    const drains = [balancer.drain('a', { deadline: 0 }), balancer.drain('a', { deadline: 100 })]
    clock.advance(50)
    drains.push(balancer.drain('a'))
    assert.equal(backend.vetoes.length, 1)
    clock.advance(49)
    assert.equal(backend.pool, pool)
    clock.advance(1)
    assert.deepEqual(await Promise.all(drains), [false, false, false])
  })

  test('that may take more time is not cut at its first deadline', async (t) => {
    const { balancer, clock } = balancing(t)
    const attempt = running(balancer, balancer.backend('a'))
    const drains = [balancer.drain('a', { deadline: 100 }), balancer.drain('a', { deadline: 0 })]
    clock.advance(1_000_000)
    attempt.end()
    assert.deepEqual(await Promise.all(drains), [true, true])
  })

  test('leaves maintenance, which somebody else has ordered, in place', async (t) => {
    const { balancer } = balancing(t)
    balancer.veto(balancer.backend('a'), { by: 'maintenance', reason: 'new disk', hard: true })
    await balancer.drain('a')
    assert.deepEqual(
      balancer.backend('a').vetoes.map(({ by }) => by),
      ['maintenance', 'drain'],
    )
  })
})

describe('maintenance', () => {
  test('takes a backend out and cuts what it has, at once; ready takes it back', async (t) => {
    const { balancer } = balancing(t)
    const backend = balancer.backend('a')
    const { pool } = backend
    running(balancer, backend)
    await balancer.maintain('a')
    assert.equal(backend.state, 'maintenance')
    assert.deepEqual([pool.destroyed, backend.pool.destroyed], [true, false])
    await balancer.maintain('a')
    assert.equal(backend.vetoes.length, 1)
    balancer.ready('a')
    assert.deepEqual([backend.state, backend.vetoes.length], ['ready', 0])
  })

  test('of an idle one keeps its connections', async (t) => {
    const { balancer } = balancing(t)
    const { pool } = balancer.backend('a')
    await balancer.maintain('a')
    assert.equal(pool.destroyed, false)
    await assert.rejects(balancer.maintain('x'), unknownBackend)
  })
})

describe('a preview', () => {
  test('says what a list would add, remove and change, and changes nothing', (t) => {
    const { balancer, ids } = balancing(t, { pool: { connections: 8 } })
    const { set } = balancer
    const list = [{ ...b, weight: 3, zone: 'z' }, c, 'http://d.test']
    assert.deepEqual(balancer.preview(list), {
      added: ['c', 'http://d.test'],
      removed: ['a'],
      changed: [
        {
          id: 'b',
          from: { url: 'http://b.test', weight: 1, priority: 0, maxInFlight: 8, tags: [], protocol: 'http1' },
          to: { url: 'http://b.test', weight: 3, priority: 0, maxInFlight: 8, tags: [], protocol: 'http1', zone: 'z' },
        },
      ],
      faults: [],
    })
    assert.equal(ids(), 'ab')
    assert.equal(balancer.set, set)
    assert.equal(balancer.backend('b').weight, 1)
  })

  test('of the list as it is changes nothing; of another address at an id says so', (t) => {
    const { balancer } = balancing(t)
    assert.deepEqual(balancer.preview([a, b]), { added: [], removed: [], changed: [], faults: [] })
    const [change] = balancer.preview([{ ...a, url: 'http://other.test' }, b]).changed
    assert.deepEqual([change!.id, change!.from.url, change!.to.url], ['a', 'http://a.test', 'http://other.test'])
  })

  test('names every fault', (t) => {
    const { balancer } = balancing(t)
    assert.deepEqual(balancer.preview([a, { ...a }, 'nonsense']).faults, [
      "backends.1.id: 'a' is already used by backends.0",
      "backends.2.url: 'nonsense' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000",
    ])
  })
})

describe('closing', () => {
  test('leaves no timer behind: of vetoes, of drains, of what was removed, nor one that is set later', async (t) => {
    const { balancer, clock } = balancing(t, { slowStart: 1000, backends: [a, b, c] })
    const attempts = balancer.backends.map((backend) => running(balancer, backend))
    balancer.veto(balancer.backend('a'), { by: 'test', reason: 'for a while', ttl: 60_000 }).lift()
    const veto = balancer.veto(balancer.backend('a'), { by: 'test', reason: 'for a while', ttl: 60_000 })
    const drained = balancer.drain('b', { deadline: 60_000 })
    await balancer.remove('c', { deadline: 60_000, force: true })
    await balancer.close()
    // undici ends what was cut.
    for (const attempt of attempts) attempt.end()
    assert.equal(await drained, false)
    assert.equal(clock.pending, 0)
    veto.lift()
    assert.equal(clock.pending, 0)
  })

  test('closes every Pool', async (t) => {
    const { balancer } = balancing(t)
    const pools = balancer.backends.map(({ pool }) => pool)
    await balancer.close()
    assert.deepEqual(
      pools.map(({ destroyed }) => destroyed),
      [true, true],
    )
  })

  test('waits for the exchanges under way, and cuts them at the deadline', async (t) => {
    const { balancer, clock } = balancing(t, { drainDeadline: 1000 })
    const { pool } = balancer.backend('a')
    balancer.enter()
    const closed = balancer.close()
    clock.advance(999)
    await settled()
    assert.equal(pool.destroyed, false)
    clock.advance(1)
    await closed
    assert.equal(pool.destroyed, true)
    assert.equal(clock.pending, 0)
    balancer.leave()
  })

  test('does not wait for the deadline when the exchanges have ended', async (t) => {
    const { balancer, clock } = balancing(t, { drainDeadline: 0 })
    balancer.enter()
    balancer.enter()
    const closed = balancer.close()
    balancer.leave()
    await settled()
    assert.equal(balancer.backend('a').pool.destroyed, false)
    balancer.leave()
    await closed
    assert.equal(balancer.backend('a').pool.destroyed, true)
    assert.equal(clock.pending, 0)
  })
})
