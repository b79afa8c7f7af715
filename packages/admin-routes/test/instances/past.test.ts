import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from '@sinclair/typebox/value'
import { mergedHistory } from '../../src/instances/merging/merged-history.ts'
import { mergedServer } from '../../src/instances/merging/merged-server.ts'
import { mergedTunnels, type ToldTunnels } from '../../src/instances/tunnel-pages.ts'
import { HistoryView } from '../../src/schemas/past-views.ts'
import { startInstances, type StagedInstance } from './stage.ts'

const sum = (column: readonly (number | null)[]) => column.reduce<number>((total, one) => total + (one ?? 0), 0)

test('history and failures are of all instances', async (t) => {
  const { all } = await startInstances(t, 2)
  for (const { url } of all) await (await fetch(`${url}/x`)).text()
  for (const { app } of all)
    for (const id of ['a', 'b']) app.balancer.veto(app.balancer.backend(id), { by: 'test', reason: 'no', hard: true })
  for (const { url } of all) await (await fetch(`${url}/y`)).text()
  for (const { ask } of all) {
    const { body } = await ask('GET', '/balancers/default/history?range=5m')
    assert.deepEqual([...Value.Errors(HistoryView, body)], [])
    assert.deepEqual([sum(body.totals.requests), sum(body.totals.failed)], [4, 2])
    assert.deepEqual(
      body.backends.map(({ id, attempts }: any) => [id, sum(attempts)]),
      [['a', 2]],
    )
    const { failures } = (await ask('GET', '/balancers/default/failures')).body
    assert.deepEqual(
      failures.map(({ path, instance }: any) => [path, instance]),
      [
        ['/y', '2'],
        ['/y', '1'],
      ],
    )
  }
})

test('what an instance has recorded stays when it leaves, also once its heir has left', async (t) => {
  const { all, start } = await startInstances(t, 2)
  const [first, second] = all as [StagedInstance, StagedInstance]
  for (const { url } of [first, first, second]) await (await fetch(`${url}/x`)).text()
  for (const { app } of all)
    for (const id of ['a', 'b']) app.balancer.veto(app.balancer.backend(id), { by: 'test', reason: 'no', hard: true })
  await (await fetch(`${first.url}/y`)).text()
  const third = await start('3')
  await first.app.close()
  const told = async ({ ask }: StagedInstance, range: string) => {
    const { totals, backends, since } = (await ask('GET', `/balancers/default/history?range=${range}`)).body
    const { failures } = (await ask('GET', '/balancers/default/failures')).body
    return {
      requests: sum(totals.requests),
      failed: sum(totals.failed),
      attempts: sum(backends.flatMap(({ attempts }: any) => attempts)),
      isOld: since < third.app.fleet!.instances.at(-1)!.since,
      failures: failures.map(({ path, instance }: any) => [path, instance]),
    }
  }
  const expected = { requests: 4, failed: 1, attempts: 3, isOld: true, failures: [['/y', '1']] }
  for (const one of [second, third])
    for (const range of ['5m', '3d']) assert.deepEqual(await told(one, range), expected)
  const fourth = await start('4')
  await third.app.close()
  await second.app.close()
  for (const range of ['5m', '6h', '3d']) assert.deepEqual(await told(fourth, range), expected)
})

test('a revision that an instance has not seen is taken from another', async (t) => {
  const { all, start } = await startInstances(t, 1)
  await all[0]!.ask('DELETE', '/balancers/default/backends/b')
  const second = await start('2')
  const { body } = await second.ask('GET', '/balancers/default')
  assert.deepEqual(
    body.revisions.map(({ revision }: any) => revision),
    [1, 2],
  )
  const { status } = await second.ask('POST', '/balancers/default/rollback', { revision: 1 })
  assert.equal(status, 200)
  assert.deepEqual(
    all[0]!.app.balancer.backends.map(({ id }) => id),
    ['a', 'b'],
  )
})

test('what an instance keeps to itself about TLS does not go to another one with an old list', async (t) => {
  const backends = [
    { id: 'a', url: 'https://a.test', tls: { servername: 'private.test' } },
    { id: 'b', url: 'https://b.test' },
  ]
  const { all, start, store } = await startInstances(t, 1, { balancer: { backends } })
  await all[0]!.ask('DELETE', '/balancers/default/backends/b')
  const second = await start('2')
  const told: unknown[] = []
  store.subscribe('answer/2', (answer) => void told.push(answer))
  const { status } = await second.ask('POST', '/balancers/default/rollback', { revision: 1 })
  assert.equal(status, 200)
  assert.match(JSON.stringify(told), /b\.test/)
  assert.doesNotMatch(JSON.stringify(told), /private\.test/)
  for (const { app } of [all[0]!, second]) assert.deepEqual(app.balancer.listed[0]!.tls, backends[0]!.tls)
})

test('the server drains in all instances, and is idle when all are', async (t) => {
  const { all } = await startInstances(t, 2)
  const { body } = await all[0]!.ask('PUT', '/server/state', { state: 'drain', grace: 60_000 })
  assert.deepEqual([body.state, body.idle], ['drain', true])
  for (const { ask } of all) {
    assert.equal((await ask('GET', '/ready')).status, 503)
    assert.equal((await ask('GET', '/server')).body.state, 'drain')
    assert.equal((await ask('GET', '/server/wait?timeout=1000')).status, 200)
  }
  await all[1]!.ask('PUT', '/server/state', { state: 'ready' })
  for (const { ask } of all) assert.equal((await ask('GET', '/ready')).status, 200)
})

test('explain says which instance answers', async (t) => {
  const { all } = await startInstances(t, 2)
  const { body } = await all[1]!.ask('POST', '/balancers/default/explain', {})
  assert.equal(body.instance, '2')
})

test('steps of history are put together by their times; counts add up, percentiles are weighed', () => {
  const view = (times: number[], requests: (number | null)[], p50: (number | null)[], attempts: (number | null)[]) => {
    const none = times.map(() => 0)
    const responses = { '1xx': none, '2xx': requests, '3xx': none, '4xx': none, '5xx': none }
    const counts = { failed: none, responses, inFlight: none }
    return {
      balancer: 'default',
      instance: 'x',
      at: 1,
      since: times[0]!,
      step: 10,
      times,
      totals: { ...counts, requests, retries: none, p50, p95: p50, p99: p50, waiting: none, refused: none, shed: none },
      backends: [{ id: 'a', ...counts, attempts, p95: p50 }],
    }
  }
  const one = view([10, 20, 30], [1, null, 3], [5, null, 10], [1, null, 3])
  assert.deepEqual(mergedHistory([one]), one)
  const other = view([20, 30, 40], [2, 1, 9], [7, 30, 1], [2, 1, 9])
  const { totals, backends, since } = mergedHistory([one, other])
  assert.deepEqual([totals.requests, totals.p50, backends[0]!.attempts, since], [[1, 2, 4], [5, 7, 15], [1, 2, 4], 10])
})

test('tunnels come in the order of their ids, page by page', () => {
  const tunnel = (id: string) => ({ id }) as ToldTunnels['tunnels'][number]
  const told = (instance: string, ...numbers: number[]): ToldTunnels => ({
    total: numbers.length,
    rest: numbers.length,
    tunnels: numbers.map((number) => tunnel(`${number}@${instance}`)),
  })
  const page = mergedTunnels([told('1', 1, 3), told('2', 1, 2)], 3)
  assert.deepEqual([page.total, page.tunnels.map(({ id }) => id), page.next], [4, ['1@1', '1@2', '2@2'], '2@2'])
})

test('the server drains once all instances do', () => {
  const server = {
    state: 'drain',
    closesConnections: false,
    closesApp: false,
    exchanges: 1,
    tunnels: 0,
    idle: false,
  } as const
  assert.deepEqual(mergedServer([server]), server)
  const ready = { state: 'ready', closesConnections: false, exchanges: 0, tunnels: 0, idle: true } as const
  assert.deepEqual(mergedServer([server, ready]), {
    state: 'ready',
    closesConnections: false,
    exchanges: 1,
    tunnels: 0,
    idle: false,
  })
})
