import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackends } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'

type BackendOptions = Exclude<NonNullable<BalancerOptions['backends']>[number], string>

/** Backends that answer with their names. */
async function start(
  t: TestContext,
  names: readonly string[],
  options: BalancerOptions = {},
  each: (name: string) => Partial<BackendOptions> = () => ({}),
) {
  const backends = await startBackends(t, ...names)
  const { app, url } = await startApp(t, {
    backends: backends.map((backend, index) => ({ url: backend.url, id: names[index]!, ...each(names[index]!) })),
    ...options,
  })
  const { balancer } = app
  return {
    url,
    balancer,
    veto: (id: string, hard = false) =>
      balancer.veto(balancer.backend(id), { by: 'test', reason: hard ? 'closed' : 'suspicious', hard }),
    /** Who answers so many requests, sorted; '503' for each that nobody answers. */
    async whoAnswers(count: number): Promise<string> {
      const answers = []
      for (let index = 0; index < count; index++) {
        const { status, body } = await ask(url)
        answers.push(status === 200 ? body : String(status))
      }
      return answers.sort().join(' ')
    },
  }
}

test('a backend with a veto gets nothing, and the others share evenly', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b', 'c', 'd'])
  assert.equal(await whoAnswers(8), 'a a b b c c d d')
  const one = veto('b')
  assert.deepEqual([balancer.backend('b').available, balancer.backend('b').state], [false, 'ready'])
  assert.equal(await whoAnswers(9), 'a a a c c c d d d')
  one.lift()
  assert.equal(await whoAnswers(8), 'a a b b c c d d')
})

test('a veto does not move the revision, and is told of', async (t) => {
  const { veto, balancer } = await start(t, ['a', 'b'])
  const before = balancer.set
  const one = veto('a')
  assert.equal(balancer.set.revision, before.revision)
  assert.deepEqual(
    balancer.set.available.map(({ id }) => id),
    ['b'],
  )
  // The set that was handed out has not changed.
  assert.equal(before.available.length, 2)
  const [{ by, reason, hard, since } = one] = balancer.backend('a').vetoes
  assert.deepEqual({ by, reason, hard }, { by: 'test', reason: 'suspicious', hard: false })
  assert.ok(Math.abs(Date.now() - since) < 60_000)
})

test('every veto must be lifted, each by its own handle, and once is enough', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b'])
  const [first, second] = [veto('a'), veto('a', true)]
  first.lift()
  first.lift()
  assert.equal(balancer.backend('a').vetoes.length, 1)
  assert.equal(await whoAnswers(2), 'b b')
  second.lift()
  assert.equal(await whoAnswers(2), 'a b')
})

test('a veto with a time to live lifts itself, and not one that was laid later', async (t) => {
  const clock = new ManualClock()
  const { whoAnswers, balancer } = await start(t, ['a', 'b'], { clock })
  const a = balancer.backend('a')
  balancer.veto(a, { by: 'test', reason: 'for a while', ttl: 1000 })
  const second = balancer.veto(a, { by: 'test', reason: 'for a while longer', ttl: 5000 })
  clock.advance(999)
  assert.equal(a.vetoes.length, 2)
  clock.advance(1)
  assert.deepEqual(a.vetoes, [second])
  assert.equal(await whoAnswers(2), 'b b')
  clock.advance(4000)
  assert.deepEqual(a.vetoes, [])
  assert.equal(await whoAnswers(2), 'a b')

  const early = balancer.veto(a, { by: 'test', reason: 'lifted by hand', ttl: 1000 })
  early.lift()
  const later = balancer.veto(a, { by: 'test', reason: 'to stay' })
  clock.advance(10_000)
  assert.deepEqual(a.vetoes, [later])
})

test('when none is left, opinions are ignored, and orders are not', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b', 'c'])
  veto('a')
  const b = veto('b')
  veto('c', true)
  assert.equal(balancer.set.panicking, true)
  assert.equal(await whoAnswers(4), 'a a b b')
  b.lift()
  assert.equal(balancer.set.panicking, false)
  assert.equal(await whoAnswers(2), 'b b')
  veto('b', true)
  veto('a', true)
  assert.equal(balancer.set.panicking, false)
  assert.equal(await whoAnswers(2), '503 503')
})

test('below the share that is asked for, opinions are ignored', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b', 'c', 'd'], { panicThreshold: 0.5 })
  veto('a')
  const b = veto('b')
  // Half of them is not less than half.
  assert.equal(balancer.set.panicking, false)
  assert.equal(await whoAnswers(4), 'c c d d')
  const c = veto('c')
  assert.equal(balancer.set.panicking, true)
  assert.equal(await whoAnswers(4), 'a b c d')
  c.lift()
  assert.equal(balancer.set.panicking, false)
  b.lift()
  assert.equal(await whoAnswers(3), 'b c d')
})

test('without panic, opinions are never ignored', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b'], { panicThreshold: false })
  veto('a')
  const b = veto('b')
  assert.equal(balancer.set.panicking, false)
  assert.equal(await whoAnswers(2), '503 503')
  b.lift()
  assert.equal(await whoAnswers(2), 'b b')
})

test('the preferred backends are used while there is one of them; then the next', async (t) => {
  const { whoAnswers, veto, balancer } = await start(t, ['a', 'b', 'c', 'd'], {}, (name) => ({
    priority: { a: 0, b: 0, c: 1, d: 2 }[name]!,
  }))
  assert.equal(await whoAnswers(4), 'a a b b')
  const a = veto('a')
  assert.equal(await whoAnswers(2), 'b b')
  const b = veto('b')
  assert.equal(await whoAnswers(2), 'c c')
  const c = veto('c', true)
  assert.equal(await whoAnswers(2), 'd d')
  // With none left, the best of those whose vetoes are opinions.
  const d = veto('d')
  assert.equal(balancer.set.panicking, true)
  assert.equal(await whoAnswers(4), 'a a b b')
  for (const one of [a, b, c, d]) one.lift()
  assert.equal(await whoAnswers(4), 'a a b b')
  await balancer.update('d', { priority: 0 })
  assert.equal(await whoAnswers(3), 'a b d')
})

test('a request is not repeated at a backend that has got a veto in the meantime', async (t) => {
  const { url, balancer, veto } = await start(t, ['a', 'b'])
  balancer.addHook('onAttemptStart', ({ backend }) => {
    if (backend.id === 'a') void veto('b', true)
    else void veto('a', true)
  })
  const { status } = await ask(url)
  assert.equal(status, 200)
  assert.equal(balancer.set.available.length, 1)
  assert.equal((await ask(url)).status, 200)
  // The second one laid a veto on the other way round, and now nobody is left.
  assert.equal(balancer.set.available.length, 1)
})
