import { Value } from '@sinclair/typebox/value'
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { instancesView, type ToldInstance } from '../../src/instances/instance-list.ts'
import { InstancesView } from '../../src/schemas/instance-views.ts'
import { startInstance, startInstances, type StagedInstance } from './stage.ts'

test('all instances are told, whichever answers', async (t) => {
  const { all } = await startInstances(t, 3)
  await (await fetch(`${all[1]!.url}/x`)).text()
  for (const { id, ask } of all) {
    const { body } = await ask('GET', '/instances')
    assert.deepEqual([...Value.Errors(InstancesView, body)], [])
    assert.deepEqual([body.self, body.keeper], [id, '1'])
    assert.deepEqual(
      body.instances.map((one: any) => [one.id, one.state, one.answered, one.requests, one.process.pid]),
      [
        ['1', 'ready', true, 0, process.pid],
        ['2', 'ready', true, 1, process.pid],
        ['3', 'ready', true, 0, process.pid],
      ],
    )
    const lists = body.instances.map(({ balancers: [{ name, revision, drift }] }: any) => [name, revision, drift])
    for (const list of lists) assert.deepEqual(list, ['default', 1, false])
  }
})

test('an instance that is alone is told in the same shape', async (t) => {
  const { ask } = await startInstance(t, 'x', undefined, { balancer: { backends: ['http://127.0.0.1:9'] } })
  const { body } = await ask('GET', '/instances')
  assert.deepEqual([...Value.Errors(InstancesView, body)], [])
  const [{ id, answered, balancers }] = body.instances
  assert.deepEqual([body.instances.length, body.self, body.keeper, answered], [1, id, id, true])
  assert.deepEqual([balancers[0].revision, balancers[0].drift], [1, false])
})

test('all instances drain while the server does, except those that are still starting', async (t) => {
  const { all, store } = await startInstances(t, 2)
  await store.announce({ id: '3', since: Date.now() + 1000, state: 'starting', about: {} }, 60_000)
  const states = async () => {
    const { body } = await all[1]!.ask('GET', '/instances')
    return body.instances.map(({ state }: any) => state)
  }
  await all[0]!.ask('PUT', '/server/state', { state: 'drain' })
  assert.deepEqual(await states(), ['draining', 'draining', 'starting'])
  await all[1]!.ask('PUT', '/server/state', { state: 'ready' })
  assert.deepEqual(await states(), ['ready', 'ready', 'starting'])
})

test('how many instances there should be is what the youngest one says that is ready', async (t) => {
  const { all, store, start } = await startInstances(t, 2)
  const [first, second] = all
  const wanted = async () => (await first!.ask('GET', '/instances')).body.wanted
  const tell = async ({ app }: StagedInstance, count: number) => {
    app.fleet!.tell('wanted', () => count)
    await app.fleet!.announce()
  }
  assert.equal(await wanted(), undefined)
  await tell(second!, 2)
  assert.equal(await wanted(), 2)
  const third = await start('3')
  assert.equal(await wanted(), 2)
  await tell(third, 3)
  assert.equal(await wanted(), 3)
  const next = { id: '4', since: Date.now() + 1000, about: { wanted: 5 } }
  await store.announce({ ...next, state: 'starting' }, 60_000)
  assert.equal(await wanted(), 3)
  await first!.ask('PUT', '/server/state', { state: 'drain' })
  assert.equal(await wanted(), 3)
  await first!.ask('PUT', '/server/state', { state: 'ready' })
  await store.announce({ ...next, state: 'ready', about: { wanted: 'many' } }, 60_000)
  assert.equal(await wanted(), 3)
  await store.announce({ ...next, state: 'ready' }, 60_000)
  assert.equal(await wanted(), 5)
})

test('one whose list is another than most have drifts', () => {
  const told = (digest: string, revision: number): ToldInstance => ({
    process: { pid: 1, cpu: 0, rss: 0, heapUsed: 0, eventLoopUtilized: 0 },
    exchanges: 0,
    tunnels: 0,
    requests: 0,
    balancers: [{ name: 'web', revision, digest }],
  })
  const answers = new Map([
    ['1', told('old', 1)],
    ['2', told('new', 2)],
    ['3', told('new', 2)],
  ])
  const all = ['1', '2', '3', '4'].map((id) => ({ id, state: 'ready', since: 1, about: {} }) as const)
  const { instances } = instancesView('2', '1', all, answers)
  assert.deepEqual(
    instances.map(({ id, answered, balancers }) => [id, answered, balancers.map(({ drift }) => drift)]),
    [
      ['1', true, [true]],
      ['2', true, [false]],
      ['3', true, [false]],
      ['4', false, []],
    ],
  )
})

test('a restart is requested of the parent, and audited', async (t) => {
  const asked: unknown[] = []
  const { ask } = await startInstance(t, 'x', undefined, {
    balancer: { backends: ['http://127.0.0.1:9'] },
    admin: {
      user: () => 'maria',
      restart: async (order) => {
        asked.push(order)
        return { applied: true, summary: '2 workers restarted', faults: [] }
      },
    },
  })
  const { status, body } = await ask('POST', '/server/restart')
  assert.deepEqual([status, body.summary], [200, '2 workers restarted'])
  assert.deepEqual(asked, [{ who: 'maria' }])
})

test('without a parent, or if it cannot, nothing is restarted', async (t) => {
  const balancer = { backends: ['http://127.0.0.1:9'] }
  const alone = await startInstance(t, 'x', undefined, { balancer })
  const { status, body } = await alone.ask('POST', '/server/restart')
  assert.deepEqual([status, body.code], [409, 'FST_BALANCER_ADMIN_NO_RESTART'])
  const restart = async () => ({ applied: false, summary: '', faults: ['a restart is under way'] })
  const other = await startInstance(t, 'y', undefined, { balancer, admin: { restart } })
  const refused = await other.ask('POST', '/server/restart')
  assert.deepEqual([refused.status, refused.body.faults], [409, ['a restart is under way']])
})
