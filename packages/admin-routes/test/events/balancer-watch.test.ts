import { Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { BalancerWatch } from '../../src/events/balancer-watch.ts'
import { backends } from './stage.ts'

const at = 7
const allDown = { backends: 3, available: 0, eligible: 3 }
const oneUp = { backends: 3, available: 1, eligible: 1 }

function watched(t: TestContext, options: BalancerOptions = {}) {
  const balancer = new Balancer({ backends, clock: new ManualClock(), ...options })
  t.after(() => balancer.close())
  const watch = new BalancerWatch(balancer)
  const changes = () =>
    watch.observe(balancer.set, at).map(({ at: when, ...event }) => {
      assert.equal(when, at)
      assert.equal('balancer' in event && event.balancer, 'default')
      return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'balancer' && name !== 'since'))
    })
  return { balancer, changes }
}

const veto = (backend: string, action: string, reason: string, hard = false, available = false) => ({
  type: 'veto',
  backend,
  action,
  by: 'me',
  reason,
  hard,
  available,
  evidence: undefined,
})

test('what was there before is not told, and nothing twice', async (t) => {
  const balancer = new Balancer({ backends, clock: new ManualClock() })
  t.after(() => balancer.close())
  const early = balancer.veto(balancer.backend('a'), { by: 'me', reason: 'early' })
  await balancer.drain('b')
  const watch = new BalancerWatch(balancer)
  assert.deepEqual(watch.observe(balancer.set, at), [])
  early.lift()
  assert.equal(watch.observe(balancer.set, at).length, 1)
  assert.deepEqual(watch.observe(balancer.set, at), [])
})

test('vetoes that are laid and lifted', (t) => {
  const { balancer, changes } = watched(t)
  const a = balancer.backend('a')
  const first = balancer.veto(a, { by: 'me', reason: 'first' })
  assert.deepEqual(changes(), [veto('a', 'laid', 'first')])
  const second = balancer.veto(a, { by: 'me', reason: 'second', hard: true })
  first.lift()
  assert.deepEqual(changes(), [veto('a', 'laid', 'second', true), veto('a', 'lifted', 'first')])
  second.lift()
  assert.deepEqual(changes(), [veto('a', 'lifted', 'second', true, true)])
})

test('evidence, as it was given', (t) => {
  const { balancer, changes } = watched(t)
  balancer.veto(balancer.backend('a'), { by: 'me', reason: 'r', evidence: { status: 500 } })
  assert.deepEqual(changes(), [{ ...veto('a', 'laid', 'r'), evidence: { status: 500 } }])
})

test('the states of a backend', async (t) => {
  const { balancer, changes } = watched(t)
  const states = () => changes().filter(({ type }) => type === 'state')
  await balancer.drain('a')
  assert.deepEqual(states(), [{ type: 'state', backend: 'a', state: 'drain', before: 'ready' }])
  await balancer.maintain('a')
  assert.deepEqual(states(), [{ type: 'state', backend: 'a', state: 'maintenance', before: 'drain' }])
  balancer.ready('a')
  assert.deepEqual(states(), [{ type: 'state', backend: 'a', state: 'ready', before: 'maintenance' }])
})

test('panic, when it begins and when it ends', (t) => {
  const { balancer, changes } = watched(t)
  const vetoes = balancer.backends.map((backend) => balancer.veto(backend, { by: 'me', reason: 'r' }))
  assert.deepEqual(changes().at(-1), {
    type: 'panic',
    panicking: true,
    ...allDown,
    text: 'panic mode: 0 of 3 backends are healthy, all 3 are used',
  })
  vetoes[0]!.lift()
  assert.deepEqual(changes().at(-1), {
    type: 'panic',
    panicking: false,
    ...oneUp,
    text: 'panic mode ended: 1 of 3 backends is healthy, 1 is used',
  })
})

test('a new list: who came, who went, who is another', async (t) => {
  const { balancer, changes } = watched(t)
  await balancer.setBackends([
    { ...backends[0]!, weight: 3 },
    { id: 'b', url: 'http://127.0.0.1:9' },
    { id: 'd', url: 'http://127.0.0.1:4' },
  ])
  const list = { type: 'backends', revision: 2, added: ['d'], removed: ['c'], changed: ['a', 'b'] }
  assert.deepEqual(changes(), [list])
  await balancer.update('a', { tags: ['new'] })
  assert.deepEqual(changes(), [{ type: 'backends', revision: 3, added: [], removed: [], changed: ['a'] }])
  await balancer.setBackends(
    balancer.backends.map(({ id, url, weight, tags }) => ({ id, url, weight, tags: [...tags] })),
  )
  assert.deepEqual(changes(), [{ type: 'backends', revision: 4, added: [], removed: [], changed: [] }])
})

test('a newcomer with a veto: first that it is there', async (t) => {
  const { balancer, changes } = watched(t)
  balancer.addHook('onBackendsPropose', (candidates) =>
    candidates.map((backend) => ({ backend, veto: { by: 'me', reason: 'new' } })),
  )
  await balancer.add({ id: 'd', url: 'http://127.0.0.1:4' })
  const list = { type: 'backends', revision: 2, added: ['d'], removed: [], changed: [] }
  assert.deepEqual(changes(), [list, veto('d', 'laid', 'new')])
})

test('of thousands of vetoes at one moment, the first of each owner are told one by one, the others as one', (t) => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ id: `b${index}`, url: 'http://b.test' }))
  const { balancer, changes } = watched(t, { backends: many, panicThreshold: false })
  const vetoes = balancer.backends.map((backend) => balancer.veto(backend, { by: 'me', reason: 'r' }))
  balancer.veto(balancer.backend('b1999'), { by: 'another', reason: 'r' })
  const told = changes()
  const ids = told.map(({ backend }) => backend)
  assert.deepEqual(ids, [...many.slice(0, 10).map(({ id }) => id), 'b1999'])
  assert.deepEqual(told[9], { ...veto('b9', 'laid', 'r'), others: 1990 })
  assert.deepEqual([told[8]!['others'], told[10]!['others']], [undefined, undefined])
  for (const one of vetoes) one.lift()
  assert.deepEqual(changes().at(-1), { ...veto('b9', 'lifted', 'r', false, true), others: 1990 })
})
