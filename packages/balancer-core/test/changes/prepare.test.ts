import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Attempt } from '../../src/attempt/attempt.ts'
import { Balancer } from '../../src/balancer.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { BalancerOptions } from '../../src/options.ts'
import type { Policy } from '../../src/picking/policy.ts'

const a = { url: 'http://a.test', id: 'a' }
const b = { url: 'http://b.test', id: 'b' }
const c = { url: 'http://c.test', id: 'c' }

function balancing(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock()
  const balancer = new Balancer({ backends: [a, b], clock, random: () => 0.5, ...options })
  t.after(() => balancer.close())
  return { balancer, clock, ids: () => balancer.backends.map(({ id }) => id).join('') }
}

/** An attempt that runs until it is ended. */
function running(balancer: Balancer, backend: Backend): { end(): void } {
  const attempt = { backend, exchange: {}, startedAt: 0, respondedAt: 0, onSweep: () => {} } as unknown as Attempt
  balancer.counts.attemptStarted(attempt)
  return { end: () => balancer.counts.attemptEnded(attempt, 'ok') }
}

const picked = (balancer: Balancer) => balancer.explain().picked

describe('a change that is prepared', () => {
  test('changes nothing before it is committed, and then everything', async (t) => {
    const { balancer, ids } = balancing(t)
    const { options, set, policy } = balancer
    const change = await balancer.prepare({
      backends: [{ ...a, weight: 3 }, c],
      policy: 'p2c',
      timeouts: { headers: 5000 },
      queue: { max: 7 },
    })
    assert.deepEqual([balancer.options, balancer.set, balancer.policy], [options, set, policy])
    assert.deepEqual(change.faults, [])
    assert.deepEqual(change.changes, [
      { option: 'timeouts.headers', from: 30_000, to: 5000 },
      { option: 'queue.max', from: 1024, to: 7 },
      { option: 'policy', from: 'round-robin', to: 'p2c' },
    ])
    const { added, removed, changed, overridden } = change.backends
    assert.deepEqual([added, removed, changed.map(({ id }) => id), overridden], [['c'], ['b'], ['a'], []])
    change.commit()
    assert.equal(ids(), 'ac')
    assert.equal(balancer.backend('a').weight, 3)
    assert.equal(balancer.policy.name, 'p2c')
    assert.equal(balancer.options.timeouts.headers, 5000)
    assert.equal(balancer.queue.max, 7)
    assert.equal(balancer.set.revision, 2)
    assert.ok(Object.isFrozen(balancer.options))
  })

  test('gives its default to what it does not name', async (t) => {
    const { balancer } = balancing(t, { timeouts: { headers: 1 }, retry: { attempts: 0 } })
    const change = await balancer.prepare({ backends: [a, b] })
    assert.deepEqual(
      change.changes.map(({ option, to }) => [option, to]),
      [
        ['timeouts.headers', 30_000],
        ['retry.attempts', 1],
      ],
    )
    change.commit()
    assert.equal(balancer.options.timeouts.headers, 30_000)
    assert.equal(balancer.options.clock, balancer.clock)
  })

  test('that is abandoned leaves everything as it is, and closes the newcomers', async (t) => {
    const { balancer, ids } = balancing(t)
    const { options, set } = balancer
    const seen: Backend[] = []
    balancer.addHook('onBackendsPropose', (candidates) => void seen.push(...candidates))
    const change = await balancer.prepare({ backends: [a, c], policy: 'random' })
    change.abandon()
    change.abandon()
    await settled()
    assert.deepEqual([balancer.options, balancer.set, ids()], [options, set, 'ab'])
    assert.deepEqual(
      seen.map(({ id, pool }) => [id, pool.destroyed]),
      [['c', true]],
    )
    assert.throws(() => change.commit(), /committed or abandoned before/)
  })

  test('that is the same in all is empty, and makes no revision', async (t) => {
    const { balancer } = balancing(t, { backends: [a, { ...b, weight: 2, tags: ['x'] }], policy: 'p2c' })
    let told = 0
    balancer.addHook('onBackendsChange', () => void told++)
    const change = await balancer.prepare({ backends: [a, { ...b, weight: 2, tags: ['x'] }], policy: 'p2c' })
    assert.equal(change.isEmpty, true)
    change.commit()
    assert.deepEqual([balancer.set.revision, told], [1, 0])
  })

  test('lets nobody else change the list until it is decided', async (t) => {
    const { balancer, ids } = balancing(t)
    const change = await balancer.prepare({ backends: [a, c] })
    const added = balancer.add({ url: 'http://d.test', id: 'd' })
    const second = balancer.prepare({ backends: [b] })
    await settled()
    assert.equal(ids(), 'ab')
    change.commit()
    await added
    assert.equal(ids(), 'acd')
    const { backends, abandon } = await second.then((one) => ({ backends: one.backends, abandon: () => one.abandon() }))
    assert.deepEqual([backends.added, backends.removed, backends.overridden], [['b'], ['a', 'c', 'd'], ['d']])
    abandon()
    await balancer.remove('d')
    assert.equal(ids(), 'ac')
  })
})

describe('a backend that is kept', () => {
  test('keeps its object, counters, connections, vetoes and orders', async (t) => {
    const { balancer } = balancing(t)
    const [one, two] = balancer.backends as [Backend, Backend]
    const attempt = running(balancer, one)
    const veto = balancer.veto(one, { by: 'test', reason: 'because' })
    const { pool } = one
    void balancer.drain('b', { deadline: 0 })
    const change = await balancer.prepare({
      backends: [c, { ...b, weight: 2 }, a],
      timeouts: { connect: 17 },
      pool: { connections: 5 },
      panicThreshold: false,
    })
    change.commit()
    assert.equal(balancer.backend('a'), one)
    assert.equal(balancer.backend('b'), two)
    assert.deepEqual([one.inFlight, one.requests, one.vetoes, one.pool], [1, 1, [veto], pool])
    assert.deepEqual([two.state, two.weight, two.maxInFlight], ['drain', 2, 5])
    attempt.end()
    assert.deepEqual([one.inFlight, one.outcomes], [0, { ok: 1 }])
  })

  test('gets another pool where connections are to be others; what is under way ends on the old one', async (t) => {
    const { balancer } = balancing(t)
    const [one] = balancer.backends as [Backend]
    const { pool } = one
    const change = await balancer.prepare({ backends: [a, b], pool: { keepAliveTimeout: 1 } })
    assert.equal(one.pool, pool)
    change.commit()
    assert.notEqual(one.pool, pool)
    assert.equal(balancer.backend('a'), one)
    await settled()
    // Idle as it was, it has closed by now.
    assert.equal(pool.destroyed, true)
    assert.equal(one.pool.destroyed, false)
  })
})

describe('a change is refused as a whole', () => {
  const cases: Readonly<Record<string, { given: BalancerOptions; faults: RegExp[] }>> = {
    'for every fault of its options': {
      given: { timeouts: { headers: -1 }, policy: 'best' as never, backends: [a] },
      faults: [/^timeouts\.headers: /, /^policy: /],
    },
    'for the faults of its options and of its list': {
      given: { timeouts: { headers: -1 }, backends: [a, { url: 'nonsense' }] },
      faults: [/^timeouts\.headers: /, /^backends\.1\.url: /],
    },
    'for every fault of its list': {
      given: { backends: [a, { ...b, weight: 0 }, { url: 'nonsense' }] },
      faults: [/backends\.1\.weight: .*backends\.2\.url: /],
    },
    'where it would leave nobody usable': {
      given: { backends: [] },
      faults: [/^backends: no backend would be usable \(the list is empty\)$/],
    },
  }
  for (const [name, { given, faults }] of Object.entries(cases)) {
    test(name, async (t) => {
      const { balancer, ids } = balancing(t)
      const { options } = balancer
      const change = await balancer.prepare({ queue: { max: 1 }, ...given })
      assert.equal(change.faults.length, faults.length, String(change.faults))
      for (const [index, fault] of faults.entries()) assert.match(change.faults[index]!, fault)
      assert.throws(() => change.commit(), { code: 'FST_BALANCER_BAD_OPTIONS' })
      change.abandon()
      assert.deepEqual([balancer.options, ids(), balancer.queue.max], [options, 'ab', 1024])
      await balancer.add(c)
      assert.equal(ids(), 'abc')
    })
  }

  test('where another plugin refuses it, with the faults of the list', async (t) => {
    const { balancer } = balancing(t)
    balancer.addHook('onOptionsPropose', () => ({ faults: ['one'], changes: [], commit() {}, abandon() {} }))
    const change = await balancer.prepare({ backends: [a, { url: 'nonsense' }] })
    assert.match(String(change.faults), /^backends\.1\.url: .*,one$/)
    change.abandon()
  })

  test('where a plugin answers with what is no part in it, and later changes go on', async (t) => {
    const { balancer, ids } = balancing(t)
    for (const part of [null, {}, Promise.resolve(), { faults: [], changes: [], commit() {} }]) {
      const propose = () => part as never
      balancer.addHook('onOptionsPropose', propose)
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      const change = await balancer.prepare({ backends: [a, c] })
      assert.match(String(change.faults), /^propose: onOptionsPropose must return nothing, or an object with faults/)
      change.abandon()
      balancer.removeHook('onOptionsPropose', propose)
    }
    await balancer.add(c)
    assert.equal(ids(), 'abc')
  })

  test('where its options cannot even be read, and later changes go on', async (t) => {
    const { balancer, ids } = balancing(t)
    const unreadable = {
      get queue(): never {
        throw new Error('no')
      },
    }
    await assert.rejects(balancer.prepare(unreadable), { message: 'no' })
    await balancer.add(c)
    assert.equal(ids(), 'abc')
  })

  test('unless that is forced', async (t) => {
    const { balancer, ids } = balancing(t)
    const change = await balancer.prepare({ backends: [] }, { force: true })
    change.commit()
    assert.equal(ids(), '')
  })

  test('where another plugin refuses it, or fails', async (t) => {
    const { balancer } = balancing(t)
    const abandoned: string[] = []
    balancer.addHook('onOptionsPropose', () => ({
      faults: [],
      changes: [{ option: 'one.size', from: 1, to: 2 }],
      commit: () => assert.fail(),
      abandon: () => void abandoned.push('one'),
    }))
    balancer.addHook('onOptionsPropose', function broken() {
      throw new Error('no')
    })
    const change = await balancer.prepare({ backends: [a, c] })
    assert.deepEqual(change.faults, ['broken: no'])
    assert.deepEqual(change.changes, [{ option: 'one.size', from: 1, to: 2 }])
    change.abandon()
    assert.deepEqual(abandoned, ['one'])
  })
})

test('a plugin that fails once the change is decided is reported by name, and all else is in force', async (t) => {
  const lines: unknown[][] = []
  const log = { error: (...line: unknown[]) => void lines.push(line) } as never
  const balancer = new Balancer({ backends: [a, b], clock: new ManualClock() }, log)
  t.after(() => balancer.close())
  balancer.addHook('onOptionsPropose', function broken() {
    return {
      faults: [],
      changes: [],
      commit() {
        throw new Error('no')
      },
      abandon() {},
    }
  })
  ;(await balancer.prepare({ backends: [a, c], queue: { max: 1 } })).commit()
  assert.deepEqual([balancer.queue.max, balancer.backends.map(({ id }) => id)], [1, ['a', 'c']])
  assert.equal((lines[0]![0] as { hook: string }).hook, 'onOptionsPropose broken')
  await balancer.add({ url: 'http://d.test' })
})

test('a policy that throws when it gets the list does not hold up later changes', async (t) => {
  const { balancer, ids } = balancing(t)
  let isBroken = true
  const policy: Policy = {
    name: 'own',
    over: ([first]) => {
      if (isBroken) throw new Error('no')
      return { pick: () => first, peek: () => first }
    },
  }
  const change = await balancer.prepare({ backends: [a, b], policy })
  assert.throws(() => change.commit(), { message: 'no' })
  isBroken = false
  await balancer.add(c)
  assert.equal(ids(), 'abc')
  assert.equal(balancer.explain().picked, 'a')
})

test('a clock and a source of random numbers cannot come later', async (t) => {
  const balancer = new Balancer({ backends: [a] })
  t.after(() => balancer.close())
  const change = await balancer.prepare({ backends: [a], clock: new ManualClock(), random: () => 0.5 })
  assert.deepEqual(
    change.cannot.map(({ option }) => option),
    ['clock', 'random'],
  )
  assert.deepEqual(change.changes, [])
  change.commit()
  assert.deepEqual([balancer.options.clock, balancer.options.random], [undefined, undefined])
})

test('what cannot change while a balancer runs is named, and stays', async (t) => {
  const { balancer } = balancing(t, { prefix: '/api', name: 'api' })
  const change = await balancer.prepare({
    name: 'other',
    prefix: '/v2',
    constraints: { host: 'x.test' },
    route: false,
    backends: [a, b],
    queue: { max: 3 },
  })
  assert.deepEqual(
    change.cannot.map(({ option, from, to }) => [option, from, to]),
    [
      ['name', 'api', 'other'],
      ['prefix', '/api', '/v2'],
      ['constraints.host', undefined, 'x.test'],
      ['route', true, false],
    ],
  )
  assert.deepEqual(change.changes, [{ option: 'queue.max', from: 1024, to: 3 }])
  change.commit()
  const { name, prefix, constraints, route, queue } = balancer.options
  assert.deepEqual([name, prefix, constraints, route, queue.max], ['api', '/api', {}, true, 3])
})

test('secrets of connections are never told', async (t) => {
  const { balancer } = balancing(t, { pool: { tls: { passphrase: 'secret one', rejectUnauthorized: true } } })
  const change = await balancer.prepare({
    backends: [a, b],
    pool: { tls: { passphrase: 'secret two', rejectUnauthorized: false } },
  })
  assert.deepEqual(change.changes, [
    { option: 'pool.tls.passphrase', from: '(hidden)', to: '(hidden)' },
    { option: 'pool.tls.rejectUnauthorized', from: true, to: false },
  ])
  change.abandon()
})

test('what was changed by hand since the last options is told where it is overridden', async (t) => {
  const { balancer } = balancing(t)
  await balancer.update('a', { weight: 5 })
  await balancer.add(c)
  const first = await balancer.prepare({ backends: [a, { ...b, weight: 2 }] })
  const { removed, changed, overridden } = first.backends
  assert.deepEqual([removed, changed.map(({ id }) => id), overridden], [['c'], ['a', 'b'], ['c', 'a']])
  first.commit()
  const second = await balancer.prepare({ backends: [a, b] })
  assert.deepEqual(second.backends.overridden, [])
  second.abandon()
})

test('a policy that stays goes on with its round', async (t) => {
  const { balancer } = balancing(t)
  const exchange = { attempts: [], clock: balancer.clock } as never
  balancer.pick(exchange)
  assert.equal(picked(balancer), 'b')
  ;(await balancer.prepare({ backends: [a, b], queue: { max: 1 } })).commit()
  assert.equal(picked(balancer), 'b')
  ;(await balancer.prepare({ backends: [a, b], policy: 'least-requests' })).commit()
  assert.equal(balancer.policy.name, 'least-requests')
})

test('another slow start counts for those that have begun, too', async (t) => {
  const { balancer, clock } = balancing(t, { slowStart: 1000 })
  await balancer.add(c)
  assert.equal(balancer.backend('c').effectiveWeight, 0.1)
  ;(await balancer.prepare({ backends: [a, b, c], slowStart: 200 })).commit()
  clock.advance(100)
  assert.equal(balancer.backend('c').effectiveWeight, 0.5)
  ;(await balancer.prepare({ backends: [a, b, c], slowStart: 0 })).commit()
  assert.equal(balancer.backend('c').effectiveWeight, 1)
  assert.equal(clock.pending, 0)
})

test('another panic threshold is in force at once', async (t) => {
  const { balancer } = balancing(t, { backends: [a, b, c] })
  balancer.veto(balancer.backend('a'), { by: 'test', reason: 'because' })
  balancer.veto(balancer.backend('b'), { by: 'test', reason: 'because' })
  assert.equal(balancer.set.panicking, false)
  ;(await balancer.prepare({ backends: [a, b, c], panicThreshold: 0.5 })).commit()
  assert.equal(balancer.set.panicking, true)
})
