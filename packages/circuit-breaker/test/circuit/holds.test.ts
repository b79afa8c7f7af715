import type { Veto } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start, type Stage } from '../stage.ts'

/** What the veto says, and what the view says; that they agree. */
function said({ balancer, breaker }: Stage): (string | number | undefined)[] {
  const { vetoes } = balancer.backend('a')
  const { state, reason, changesIn } = breaker.of('a')
  assert.deepEqual(
    vetoes.map(({ reason: why, hard, evidence }) => {
      const { rule, lasts } = evidence as { rule: string; lasts?: number }
      return [why, rule, lasts, hard]
    }),
    [[`${state}: ${reason}`, reason, changesIn, true]],
  )
  return [reason, changesIn]
}

test('the veto and the view tell the reason and the end of the hold in force', async (t) => {
  const stage = await start(t, 'ab')
  const { breaker, clock, balancer, state } = stage
  const { pending } = clock
  const alice = breaker.isolate('a', { reason: 'alice: disk swap', ttl: 60_000 })
  assert.deepEqual(said(stage), ['alice: disk swap', 60_000])
  const bob = breaker.isolate('a', { reason: 'bob: until Monday' })
  assert.deepEqual(said(stage), ['bob: until Monday', undefined])
  alice.release()
  assert.deepEqual(said(stage), ['bob: until Monday', undefined])
  const dora = breaker.isolate('a', { reason: 'dora: until Tuesday' })
  assert.deepEqual(said(stage), ['dora: until Tuesday', undefined])
  dora.release()
  assert.deepEqual(said(stage), ['bob: until Monday', undefined])
  breaker.isolate('a', { reason: 'carol: a minute', ttl: 1000 })
  assert.deepEqual(said(stage), ['carol: a minute', 1000])
  // Its time is up though nobody asks.
  clock.advance(1000)
  assert.deepEqual(said(stage), ['bob: until Monday', undefined])
  // The same words, and another end.
  const again = breaker.isolate('a', { reason: 'bob: until Monday', ttl: 5000 })
  assert.deepEqual(said(stage), ['bob: until Monday', 5000])
  bob.release()
  again.release()
  assert.deepEqual([state('a'), balancer.backend('a').vetoes, clock.pending], ['closed', [], pending])
})

test('an order that says what the circuit said is an order all the same', async (t) => {
  const stage = await start(t, 'ab')
  await stage.trip('a')
  const { reason, changesIn } = stage.breaker.of('a')
  const [{ hard }] = stage.balancer.backend('a').vetoes as [Veto]
  assert.deepEqual([changesIn, hard], [10_000, false])
  stage.breaker.isolate('a', { reason, ttl: 10_000 })
  assert.deepEqual(said(stage), [reason, 10_000])
})

test('an order that takes the place of another takes over without a gap', async (t) => {
  const stage = await start(t, 'ab')
  const { breaker, balancer } = stage
  const earlier = breaker.isolate('a', { reason: 'earlier', ttl: 60_000 })
  const backend = balancer.backend('a')
  const counts: number[] = []
  let { vetoes } = backend
  Object.defineProperty(backend, 'vetoes', {
    configurable: true,
    get: () => vetoes,
    set(now: typeof vetoes) {
      vetoes = now
      counts.push(now.length)
    },
  })
  const later = breaker.isolate('a', { reason: 'later' })
  earlier.release()
  assert.deepEqual(said(stage), ['later', undefined])
  later.release()
  // Laid before the other is lifted.
  assert.deepEqual(counts, [2, 1, 0])
})
