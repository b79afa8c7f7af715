import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { instance, instances } from '../stage.ts'

const a = { id: 'a', url: 'https://a.test', tls: { servername: 'one.test', rejectUnauthorized: false } }
const b = { id: 'b', url: 'https://b.test' }

test('keys and certificates of a backend stay in each instance, whichever one changes the list', async (t) => {
  const { apps, store } = await instances(t, 2, { backends: [a, b] })
  const [one, other] = apps.map(({ balancer }) => balancer) as [
    (typeof apps)[0]['balancer'],
    (typeof apps)[0]['balancer'],
  ]
  const before = apps.map(({ balancer }) => balancer.backend('a')).map(({ pool, tls }) => ({ pool, tls }))
  await one.setBackends([{ id: 'a', url: a.url, weight: 2 }, b])
  await other.update('a', { maxInFlight: 7 })
  await one.update('b', { weight: 3 })
  for (const [index, { balancer }] of apps.entries()) {
    const { weight, maxInFlight, pool, tls } = balancer.backend('a')
    assert.deepEqual([weight, maxInFlight, balancer.backend('b').weight], [2, 7, 3])
    assert.deepEqual(balancer.listed[0]!.tls, a.tls)
    assert.equal(balancer.listed[1]!.tls, undefined)
    assert.equal(pool, before[index]!.pool)
    assert.equal(tls, before[index]!.tls)
  }
  const kept = JSON.stringify([...(await store.list('')).values()])
  assert.match(kept, /a\.test/)
  assert.doesNotMatch(kept, /tls|one\.test|rejectUnauthorized/)
})

test('one that joins keeps its own, and takes the rest', async (t) => {
  const { apps, store } = await instances(t, 1, { backends: [a, b] })
  await apps[0]!.balancer.update('a', { weight: 2 })
  const second = await instance(t, '2', store, { backends: [a, b] })
  assert.equal(second.balancer.backend('a').weight, 2)
  assert.deepEqual(second.balancer.listed[0]!.tls, a.tls)
})

test('other keys in the options of all come into force in all', async (t) => {
  const { apps } = await instances(t, 2, { backends: [a, b] })
  await apps[0]!.balancer.update('b', { weight: 2 })
  const next = { ...a, tls: { servername: 'two.test', rejectUnauthorized: false } }
  for (const { balancer } of apps) {
    const pool = balancer.backend('a').pool
    ;(await balancer.prepare({ backends: [next, b] })).commit()
    await until('it has another pool', () => balancer.backend('a').pool !== pool)
    await until('they agree', () => apps.every((app) => app.balancer.set.revision === 3))
  }
  for (const { balancer } of apps) {
    assert.deepEqual(balancer.listed[0]!.tls, next.tls)
    assert.equal(balancer.backend('b').weight, 1)
  }
})
