import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from '@sinclair/typebox/value'
import { BalancersView, BalancerView, SetView } from '../../src/schemas/views.ts'
import { startInstances, type StagedInstance } from './stage.ts'

async function send({ url }: StagedInstance, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    // oxlint-disable-next-line no-await-in-loop -- round robin
    await (await fetch(`${url}/x`)).text()
  }
}

test('counters are of all instances, whichever answers', async (t) => {
  const { all } = await startInstances(t, 3)
  await send(all[0]!, 4)
  await send(all[1]!, 2)
  for (const { ask } of all) {
    const { body, headers } = await ask('GET', '/balancers/default')
    assert.deepEqual([...Value.Errors(BalancerView, body)], [])
    assert.equal(headers.get('x-balancer-missing-instances'), null)
    assert.match(headers.get('etag')!, /^"1-/)
    assert.equal(body.totals.requests, 6)
    assert.deepEqual(body.totals.responses['2xx'], 6)
    assert.deepEqual(
      body.backends.map((one: any) => [
        one.id,
        one.requests,
        one.latency.buckets.reduce((sum: number, n: number) => sum + n),
      ]),
      [
        ['a', 3, 3],
        ['b', 3, 3],
      ],
    )
    const list = await ask('GET', '/balancers')
    assert.deepEqual([...Value.Errors(BalancersView, list.body)], [])
    assert.equal(list.body.balancers[0].totals.requests, 6)
    const set = await ask('GET', '/balancers/default/backends')
    assert.deepEqual([...Value.Errors(SetView, set.body)], [])
    assert.deepEqual(
      set.body.backends.map((one: any) => one.requests),
      [3, 3],
    )
    assert.equal((await ask('GET', '/balancers/default/backends/a')).body.requests, 3)
  }
})

test('what an ended instance has counted still counts', async (t) => {
  const { all } = await startInstances(t, 2)
  await send(all[0]!, 4)
  await send(all[1]!, 2)
  await all[1]!.app.close()
  const { body } = await all[0]!.ask('GET', '/balancers/default')
  assert.equal(body.totals.requests, 6)
  assert.deepEqual(
    body.backends.map((one: any) => one.requests),
    [3, 3],
  )
})

test('that one of several instances has ejected a backend is told', async (t) => {
  const { all } = await startInstances(t, 3)
  const [first] = all
  const { balancer } = first!.app
  balancer.veto(balancer.backend('a'), { by: 'outlier-detection', reason: '5 failures in a row' })
  for (const { ask } of all) {
    const { body } = await ask('GET', '/balancers/default/backends/a')
    assert.equal(body.available, true)
    assert.deepEqual(body.instances, { all: 3, available: 2, eligible: 2 })
    assert.deepEqual(
      body.vetoes.map(({ by, reason, instances }: any) => [by, reason, instances]),
      [['outlier-detection', '5 failures in a row', 1]],
    )
  }
})

test('an instance that does not answer is named and left out', async (t) => {
  const { all, store } = await startInstances(t, 2)
  await send(all[0]!, 2)
  await store.announce({ id: 'host:7', since: 1, state: 'ready', about: {} }, 60_000)
  const { headers, body } = await all[1]!.ask('GET', '/balancers/default')
  assert.equal(headers.get('x-balancer-missing-instances'), 'host:7')
  assert.equal(body.totals.requests, 2)
})

test('If-Match works against any instance, and a change names the instances that have not confirmed', async (t) => {
  const { all, store } = await startInstances(t, 2)
  const added = await all[0]!.ask(
    'POST',
    '/balancers/default/backends',
    { url: 'http://127.0.0.1:9' },
    { 'if-match': '"1"' },
  )
  assert.equal(added.status, 201)
  assert.equal(added.headers.get('x-balancer-unconfirmed'), null)
  const patched = await all[1]!.ask('PATCH', '/balancers/default/backends/a', { weight: 2 }, { 'if-match': '"2"' })
  assert.equal(patched.status, 200)
  const stale = await all[0]!.ask('PATCH', '/balancers/default/backends/a', { weight: 3 }, { 'if-match': '"2"' })
  assert.equal(stale.status, 412)
  assert.equal(stale.body.current.revision, 3)
  await store.announce({ id: 'host:7', since: 1, state: 'ready', about: {} }, 60_000)
  const removed = await all[1]!.ask('DELETE', '/balancers/default/backends/a')
  assert.equal(removed.status, 200)
  assert.equal(removed.headers.get('x-balancer-unconfirmed'), 'host:7')
})

test('an order is answered when all instances have it', async (t) => {
  const { all } = await startInstances(t, 3)
  const { status, body } = await all[1]!.ask('PUT', '/balancers/default/backends/a/state', {
    state: 'drain',
    reason: 'disk',
  })
  assert.equal(status, 200)
  assert.equal(body.state, 'drain')
  assert.equal(body.instances, undefined)
  assert.deepEqual(
    body.vetoes.map(({ reason, instances }: any) => [reason, instances]),
    [['disk', undefined]],
  )
  for (const { app } of all) assert.equal(app.balancer.backend('a').state, 'drain')
})
