import { Balancer, corePolicies, type NamedPolicy, type Policy } from '@fastify-balancer/balancer-core'
import { Type } from '@sinclair/typebox'
import balancerPlugin from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import policiesPlugin, { policies } from '../../src/index.ts'
import { balancing, countsOf, evenly, pick } from '../stage.ts'

/** Backends `a0`, `a1` … of priority 0, `b0` … of priority 1, and so on. */
function inTiers(...counts: number[]) {
  return counts.flatMap((count, priority) =>
    Array.from({ length: count }, (_, index) => {
      const id = `${'abc'[priority]}${index}`
      return { url: `http://${id}.test`, id, priority, maxInFlight: 10 }
    }),
  )
}

const roundRobin = { name: 'tiers', policy: 'round-robin' } as const
const down = { by: 'test', reason: 'down' }

function veto(balancer: Balancer, ...ids: string[]) {
  return ids.map((id) => balancer.veto(balancer.backend(id), down))
}

describe('spill-over by health', () => {
  test('a priority of which enough is healthy takes all', (t) => {
    const balancer = balancing(t, { backends: inTiers(4, 2), policy: roundRobin, random: evenly(10) })
    assert.deepEqual(countsOf(balancer, 20), { a0: 5, a1: 5, a2: 5, a3: 5 })
    veto(balancer, 'a0')
    assert.deepEqual(countsOf(balancer, 30), { a1: 10, a2: 10, a3: 10 })
  })

  test('of one that is half healthy, 30 % go on to the next, and back when it has recovered', (t) => {
    const balancer = balancing(t, { backends: inTiers(4, 2), policy: roundRobin, random: evenly(10) })
    const vetoes = veto(balancer, 'a0', 'a1')
    assert.deepEqual(countsOf(balancer, 20), { a2: 7, a3: 7, b0: 3, b1: 3 })
    vetoes[0]!.lift()
    assert.deepEqual(Object.keys(countsOf(balancer, 30)).toSorted(), ['a0', 'a2', 'a3'])
  })

  test('weights count, not heads', (t) => {
    const backends = inTiers(2, 1)
    backends[0] = { ...backends[0]!, weight: 3 } as never
    const balancer = balancing(t, { backends, policy: roundRobin, random: evenly(20) })
    // 1 of 4 is healthy: 35 %.
    veto(balancer, 'a0')
    assert.deepEqual(countsOf(balancer, 20), { a1: 7, b0: 13 })
  })

  test('a priority without anybody healthy is passed over, also the first', (t) => {
    const balancer = balancing(t, { backends: inTiers(1, 2, 1), policy: roundRobin, random: evenly(10) })
    veto(balancer, 'a0', 'b0')
    assert.deepEqual(countsOf(balancer, 10), { b1: 7, c0: 3 })
  })

  test('explain tells the shares, and the tier of each backend', (t) => {
    const balancer = balancing(t, { backends: inTiers(2, 1), policy: roundRobin, random: () => 0.9 })
    veto(balancer, 'a0')
    const { policy, picked, backends } = balancer.explain()
    assert.deepEqual(policy, {
      name: 'tiers',
      shares: 'priority 0 70 %, priority 1 30 %',
      saturated: null,
      tier: 'priority 1',
    })
    assert.equal(picked, 'b0')
    assert.deepEqual(
      backends.map(({ details }) => details),
      [
        { tier: null, share: 0 },
        { tier: 'priority 0', share: 0.7 },
        { tier: 'priority 1', share: 1 - 0.7 },
      ],
    )
    assert.equal(pick(balancer)!.id, 'b0')
  })
})

/** Backends that answer when they are told to, each with `places` places. */
async function held(t: TestContext, policy: object, places: Readonly<Record<string, number>>) {
  const waiting = new Map<string, ServerResponse[]>()
  const backends = await Promise.all(
    Object.entries(places).map(async ([id, maxInFlight]) => {
      waiting.set(id, [])
      const { url } = await startBackend(t, (_request, response) => {
        waiting.get(id)!.push(response)
        backendGot.emit('request')
      })
      return { url, id, maxInFlight, priority: id === 'spare' ? 1 : 0 }
    }),
  )
  const backendGot = new (await import('node:events')).EventEmitter()
  const app = Fastify()
  await app.register(policiesPlugin)
  await app.register(balancerPlugin, {
    backends,
    policy: { name: 'tiers', policy: 'least-requests', ...policy } as never,
  })
  const { url } = await listenApp(t, app)
  const answers: Promise<unknown>[] = []
  t.after(() => Promise.all(answers))
  t.after(() => [...waiting.values()].flat().forEach((response) => response.end()))
  return {
    app,
    /** Sends one request, which is held, and tells how many are held where. */
    async send() {
      const got = once(backendGot, 'request')
      answers.push(ask(url))
      await got
      return Object.fromEntries([...waiting].map(([id, responses]) => [id, responses.length]))
    },
    ask: () => ask(url),
    /** Lets one go, and waits until its place is free. */
    async release(id: string) {
      const before = app.balancer.backend(id).inFlight
      const { promise, resolve } = Promise.withResolvers<void>()
      app.balancer.addHook('onAttemptEnd', () => {
        if (app.balancer.backend(id).inFlight < before) resolve()
      })
      waiting.get(id)!.shift()!.end()
      await promise
    },
    waiting,
  }
}

describe('spill-over by saturation', () => {
  test('a full priority hands on; once it is down to its relief, it takes all again', async (t) => {
    const { send, release } = await held(t, { saturation: 1, relief: 0.5 }, { one: 2, two: 2, spare: 9 })
    await send()
    await send()
    await send()
    assert.deepEqual(await send(), { one: 2, two: 2, spare: 0 })
    assert.deepEqual(await send(), { one: 2, two: 2, spare: 1 })
    // Three of four places used: less than full, but it was, and is not down to a half.
    await release('one')
    assert.deepEqual(await send(), { one: 1, two: 2, spare: 2 })
    await release('two')
    assert.deepEqual(await send(), { one: 2, two: 1, spare: 2 })
  })

  test('where relief is no lower than saturation, a full priority hands on every request', async (t) => {
    const { send } = await held(t, { saturation: 0.5, relief: 0.5 }, { one: 4, spare: 9 })
    await send()
    assert.deepEqual(await send(), { one: 2, spare: 0 })
    assert.deepEqual(await send(), { one: 2, spare: 1 })
    assert.deepEqual(await send(), { one: 2, spare: 2 })
    assert.deepEqual(await send(), { one: 2, spare: 3 })
  })

  test('a limit that has moved counts from the next request of its backend on', async (t) => {
    const { app, send, release } = await held(t, { saturation: 1, relief: 1 }, { one: 9, spare: 9 })
    const { balancer } = app
    balancer.limit(balancer.backend('one'), 2)
    await send()
    assert.deepEqual(await send(), { one: 2, spare: 0 })
    assert.deepEqual(await send(), { one: 2, spare: 1 })
    balancer.limit(balancer.backend('one'), 3)
    await release('one')
    await send()
    assert.deepEqual(await send(), { one: 3, spare: 1 })
    assert.deepEqual(await send(), { one: 3, spare: 2 })
  })

  test('at 0, a full priority has its requests wait', async (t) => {
    const { app, send, ask: askOnce, waiting } = await held(t, { saturation: 0 }, { one: 1, spare: 9 })
    assert.deepEqual(await send(), { one: 1, spare: 0 })
    const answer = askOnce()
    while (app.balancer.queue.length === 0) await new Promise(setImmediate)
    waiting.get('one')!.shift()!.end()
    while (waiting.get('one')!.length === 0) await new Promise(setImmediate)
    waiting.get('one')!.shift()!.end('from one')
    assert.equal((await answer).body, 'from one')
    assert.equal(app.balancer.backend('spare').requests, 0)
  })

  test('when all are full, a waiting request takes the first place that becomes free, in whichever priority', async (t) => {
    const { app, send, release, ask: askOnce, waiting } = await held(t, {}, { one: 1, spare: 1 })
    await send()
    assert.deepEqual(await send(), { one: 1, spare: 1 })
    const answer = askOnce()
    while (app.balancer.queue.length === 0) await new Promise(setImmediate)
    await release('spare')
    while (waiting.get('spare')!.length === 0) await new Promise(setImmediate)
    waiting.get('spare')![0]!.end('from spare')
    assert.equal((await answer).body, 'from spare')
  })
})

test('policies of priorities that are gone from the list are detached, and not those that are only unhealthy', async (t) => {
  const attached: number[] = []
  let made = 0
  const learning: Policy = {
    name: 'learning',
    over: ([one]) => ({ pick: () => one, peek: () => one }),
  }
  const counting: NamedPolicy = {
    description: 'Counts how often it is attached',
    settings: Type.Object({}),
    make() {
      const number = made++
      return {
        ...learning,
        attach() {
          attached.push(number)
          return () => void attached.splice(attached.indexOf(number), 1)
        },
      }
    },
  }
  const named = { ...corePolicies, ...policies, counting }
  const balancer = new Balancer(
    { backends: inTiers(1, 1), policy: { name: 'tiers', policy: 'counting' } as never, panicThreshold: false },
    undefined,
    named,
  )
  t.after(() => balancer.close())
  assert.deepEqual(attached, [0, 1])
  veto(balancer, 'b0')
  pick(balancer)
  assert.deepEqual(attached, [0, 1])
  for (const priority of [2, 3, 4]) {
    await balancer.update('b0', { priority })
    pick(balancer)
  }
  assert.deepEqual(attached, [0])
})

test('relief above saturation is refused', (t) => {
  assert.throws(
    () => balancing(t, { policy: { name: 'tiers', saturation: 0.5, relief: 0.6 } }),
    /policy\.relief: expected at most `saturation`, 0.5, got 0.6/,
  )
})

test('whatever happens to health, weights and priorities, only healthy ones are picked, and each priority gets its part', async (t) => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('veto' as const), index: fc.nat(5) }),
    fc.record({ kind: fc.constant('lift' as const), index: fc.nat(5) }),
    fc.record({ kind: fc.constant('weight' as const), index: fc.nat(5), weight: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant('priority' as const), index: fc.nat(5), priority: fc.nat(2) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const balancer = balancing(t, {
        backends: inTiers(2, 2, 2).map((one) => ({ ...one, maxInFlight: 1000 })),
        policy: roundRobin,
        random: evenly(100),
        panicThreshold: false,
      })
      const vetoes = new Map<number, ReturnType<Balancer['veto']>>()
      for (const { kind, index, ...more } of events) {
        const backend = balancer.backends[index]!
        if (kind === 'veto' && !vetoes.has(index)) vetoes.set(index, balancer.veto(backend, down))
        else if (kind === 'lift') {
          vetoes.get(index)?.lift()
          vetoes.delete(index)
        } else if (kind !== 'veto') await balancer.update(backend.id, more)
        const healthy = balancer.backends.filter(({ available }) => available)
        const counts = countsOf(balancer, 100)
        if (healthy.length === 0) {
          assert.deepEqual(counts, { none: 100 })
          continue
        }
        const told = new Map(balancer.explain().backends.map(({ id, details }) => [id, details!]))
        const byTier = Map.groupBy(Object.entries(counts), ([id]) => told.get(id)!['tier'])
        for (const [id] of Object.entries(counts)) assert.ok(balancer.backend(id).available)
        for (const [, members] of byTier) {
          const share = told.get(members[0]![0])!['share'] as number
          const count = members.reduce((sum, [, one]) => sum + one, 0)
          assert.ok(Math.abs(count - share * 100) <= 1, `${count} of 100 for a share of ${share}`)
        }
      }
    }),
    { seed: 13, numRuns: 60 },
  )
})
