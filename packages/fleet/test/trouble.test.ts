import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { until } from '../../../test/support/until.ts'
import { MemoryStore } from '../src/index.ts'
import { instance, instances } from './stage.ts'
import { TroubledStore, type Fate } from './store/troubled-store.ts'

const a = { id: 'a', url: 'http://a.test' }
const b = { id: 'b', url: 'http://b.test' }

interface Told {
  readonly revision: number
  readonly digest: string
}

async function digests(apps: readonly FastifyInstance[]): Promise<readonly string[]> {
  await Promise.all(apps.map(({ fleet }) => fleet!.announce()))
  const all = apps[0]!.fleet!.instances
  return all.map(({ about }) => (about['list/default'] as Told).digest)
}

const isAlike = async (apps: readonly FastifyInstance[]) => new Set(await digests(apps)).size === 1

/** Waits until every instance tells the same. */
async function alike(apps: readonly FastifyInstance[]): Promise<void> {
  for (let looks = 0; looks < 5000; looks++) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    if (await isAlike(apps)) return
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail(`they never agreed: ${JSON.stringify(apps[0]!.fleet!.instances)}`)
}

test('a store that is away refuses changes of the list, and nothing changes here', async (t) => {
  const store = new TroubledStore(new MemoryStore())
  const app = await instance(t, '1', store)
  const before = app.balancer.set
  store.isAway = true
  for (const change of [() => app.balancer.setBackends(['http://c.test']), () => app.balancer.remove('a')])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await assert.rejects(change(), { code: 'FST_BALANCER_FLEET_NO_STORE', statusCode: 503 })
  assert.equal(app.balancer.set, before)
  store.isAway = false
  assert.equal((await app.balancer.add('http://c.test')).revision, 2)
})

test('an order that is given while the store is away holds here, and the others get it later', async (t) => {
  const shared = new MemoryStore()
  const store = new TroubledStore(shared)
  const one = await instance(t, '1', store, undefined, 20)
  const other = await instance(t, '2', shared)
  store.isAway = true
  await one.balancer.drain('a', { reason: 'new disk', deadline: 0 })
  await other.balancer.add('http://c.test')
  await until('it has followed', () => one.balancer.set.revision === 2)
  assert.equal(one.balancer.backend('a').state, 'drain')
  assert.equal(other.balancer.backend('a').state, 'ready')
  store.isAway = false
  await until('the other one knows it', () => other.balancer.backend('a').state === 'drain')
  await alike([one, other])
})

test('an order that is given while the store is away does not reach another backend in the place of its own', async (t) => {
  const shared = new MemoryStore()
  const store = new TroubledStore(shared)
  const one = await instance(t, '1', store, undefined, 20)
  const other = await instance(t, '2', shared)
  store.isAway = true
  one.balancer.drain('a', { deadline: 0 }).catch(() => {})
  one.balancer.drain('b', { deadline: 0 }).catch(() => {})
  // The instance sees only what is newest.
  store.isDeaf = true
  await other.balancer.remove('a')
  await other.balancer.add(a)
  store.isDeaf = false
  store.isAway = false
  await until('the other one knows the order that still holds', () => other.balancer.backend('b').state === 'drain')
  await until('it is ready here, too', () => one.balancer.backend('a').state === 'ready')
  assert.equal(other.balancer.backend('a').state, 'ready')
  await alike([one, other])
})

test('an order about a backend that is removed and added again does not come back', async (t) => {
  const { apps, store } = await instances(t, 2)
  await apps[0]!.balancer.maintain('a')
  await until('it has come', () => apps[1]!.balancer.backend('a').state === 'maintenance')
  await apps[1]!.balancer.remove('a')
  await apps[1]!.balancer.add(a)
  const third = await instance(t, '3', store)
  await alike([...apps, third])
  for (const { balancer } of [...apps, third]) assert.equal(balancer.backend('a').state, 'ready')
})

test('a drain whose deadline is over is the same in one that joins', async (t) => {
  const { apps, store } = await instances(t, 1)
  await apps[0]!.balancer.drain('a', { until: Date.now() - 1000 })
  await alike(apps)
  const second = await instance(t, '2', store)
  await alike([...apps, second])
})

test('new options of all instances at once bring one revision, and what an operator changes meanwhile holds everywhere', async (t) => {
  const { apps } = await instances(t, 3)
  const options = { backends: [a, b, { id: 'c', url: 'http://c.test' }] }
  const reload = async ({ balancer }: FastifyInstance) => (await balancer.prepare(options)).commit()
  await Promise.all(apps.map(reload))
  for (const { balancer } of apps) await until('it is in force', () => balancer.set.revision === 2)
  await alike(apps)
  assert.equal(apps[0]!.balancer.backends.length, 3)
  const next = { backends: [a, b] }
  const reloads = apps.map(async ({ balancer }) => (await balancer.prepare(next)).commit())
  const change = apps[2]!.balancer.add('http://d.test')
  await Promise.all([...reloads, change])
  await alike(apps)
  const [first] = apps
  assert.deepEqual(
    first!.balancer.backends.map(({ id }) => id),
    ['a', 'b', 'http://d.test'],
  )
  assert.equal(first!.balancer.set.revision, 4)
})

test('an instance that gets new options later than the others keeps what was changed since', async (t) => {
  const { apps } = await instances(t, 2)
  const next = { backends: [a, b, { id: 'c', url: 'http://c.test' }] }
  const reload = async ({ balancer }: FastifyInstance) => (await balancer.prepare(next)).commit()
  await reload(apps[0]!)
  await apps[0]!.balancer.remove('c')
  await reload(apps[1]!)
  await apps[1]!.balancer.add('http://d.test')
  for (const { balancer } of apps)
    assert.deepEqual(
      balancer.backends.map(({ id }) => id),
      ['a', 'b', 'http://d.test'],
    )
})

type Step =
  | {
      readonly kind: 'add' | 'remove' | 'weigh' | 'drain' | 'maintain' | 'ready'
      readonly who: number
      readonly which: number
      readonly isStrict: boolean
    }
  | { readonly kind: 'wait' }

const who = fc.nat(2)
const which = fc.nat(3)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('add', 'remove', 'weigh', 'drain', 'maintain', 'ready'),
    who,
    which,
    isStrict: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('wait') }),
)
const fates: fc.Arbitrary<Fate[]> = fc.array(fc.oneof(fc.nat(5), fc.constant('lost' as const)), { minLength: 1 })

async function carryOut(step: Step, apps: readonly FastifyInstance[], revisions: number[]): Promise<void> {
  if (step.kind === 'wait') return void (await new Promise((resolve) => setImmediate(resolve)))
  const { balancer } = apps[step.who]!
  const id = `n${step.which}`
  try {
    if (step.kind === 'drain')
      return void balancer.drain(id, { deadline: 60_000, reason: `by ${step.who}` }).catch(() => {})
    if (step.kind === 'maintain') return void balancer.maintain(id).catch(() => {})
    if (step.kind === 'ready') return balancer.ready(id)
    const { revision } = balancer.set
    const terms = { force: true, ...(step.isStrict && { revision }) }
    const change = {
      add: () => balancer.add({ id, url: `http://${id}.test` }, terms),
      remove: () => balancer.remove(id, terms),
      weigh: () => balancer.update(id, { weight: 1 + step.who }, terms),
    }
    const now = await change[step.kind]()
    if (step.isStrict) assert.equal(now.revision, revision + 1)
    revisions.push(now.revision)
  } catch (error) {
    assert.match(String((error as { code?: string }).code), /STALE_REVISION|UNKNOWN_BACKEND|BAD_OPTIONS/)
  }
}

test('whatever is changed and ordered, and whatever becomes of hints: revisions are linear, and all end alike', async (t) => {
  const { apps } = await instances(t, 3, undefined, (store) => new TroubledStore(store, current), 20)
  let total = 1
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), fates, async (steps, fate) => {
      current.splice(0, Infinity, ...fate)
      const revisions: number[] = []
      const work = steps.map((one) => carryOut(one, apps, revisions))
      await Promise.all(work)
      await alike(apps)
      const expected = revisions.map((_, index) => total + 1 + index)
      assert.deepEqual(
        revisions.toSorted((one, other) => one - other),
        expected,
      )
      total += revisions.length
      assert.equal(apps[0]!.balancer.set.revision, total)
    }),
    { numRuns: 50 },
  )
})

const current: Fate[] = [0]
