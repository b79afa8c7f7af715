import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../test/support/until.ts'
import { instance, instances } from './stage.ts'

test('a change of the list is in force in every instance when it is answered', async (t) => {
  const { apps } = await instances(t, 3)
  const set = await apps[1]!.balancer.add('http://c.test')
  assert.equal(set.revision, 2)
  for (const { balancer } of apps) {
    assert.equal(balancer.set.revision, 2)
    assert.deepEqual(
      balancer.backends.map(({ url }) => url),
      ['http://a.test', 'http://b.test', 'http://c.test'],
    )
  }
})

test('a change is answered as soon as all instances have it', async (t) => {
  const { apps } = await instances(t, 3)
  // Nobody who waits for the time to be over gets on.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  assert.equal((await apps[1]!.balancer.update('a', { weight: 2 })).revision, 2)
})

test('revisions are linear, whichever instances write, and nothing is lost', async (t) => {
  const { apps } = await instances(t, 3)
  const added = await Promise.all(
    Array.from({ length: 60 }, (_, index) => apps[index % 3]!.balancer.add(`http://n${index}.test`)),
  )
  assert.deepEqual(
    added.map(({ revision }) => revision).toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, index) => index + 2),
  )
  const [first, ...others] = apps.map(({ balancer }) => balancer.listed.map(({ url }) => url))
  assert.equal(new Set(first).size, 62)
  for (const other of others) assert.deepEqual(other, first)
})

test('a change that requires a revision is refused by every instance once there is a newer one', async (t) => {
  const { apps } = await instances(t, 2)
  const outcomes = await Promise.allSettled(
    apps.map(({ balancer }, index) => balancer.add(`http://n${index}.test`, { revision: 1 })),
  )
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  const { reason } = outcomes.find((one) => one.status === 'rejected')!
  assert.equal((reason as { code: string }).code, 'FST_BALANCER_STALE_REVISION')
})

test('orders about backends hold in every instance, and in those that join later', async (t) => {
  const { apps, store } = await instances(t, 2)
  await apps[0]!.balancer.drain('a', { reason: 'new disk', who: 'alice', deadline: 60_000 })
  const drained = () => apps[1]!.balancer.backend('a').state === 'drain'
  await until('the other instance drains it', drained)
  const [veto] = apps[1]!.balancer.backend('a').vetoes
  assert.deepEqual([veto!.reason, veto!.who], ['new disk', 'alice'])
  const third = await instance(t, '3', store)
  assert.equal(third.balancer.backend('a').state, 'drain')
  third.balancer.ready('a')
  for (const { balancer } of apps) await until('it is ready everywhere', () => balancer.backend('a').state === 'ready')
})

test('one that joins takes the list of the others, unless its configuration is another', async (t) => {
  const { apps, store } = await instances(t, 1)
  await apps[0]!.balancer.add('http://c.test')
  const second = await instance(t, '2', store)
  assert.deepEqual([second.balancer.set.revision, second.balancer.backends.length], [2, 3])
  const third = await instance(t, '3', store, { backends: ['http://d.test'] })
  for (const { balancer } of [...apps, second, third]) {
    await until('the new configuration is in force', () => balancer.set.revision === 3)
    assert.deepEqual(
      balancer.backends.map(({ url }) => url),
      ['http://d.test'],
    )
  }
})
