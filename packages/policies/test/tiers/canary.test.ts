import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { balancing, countsOf, evenly, pick } from '../stage.ts'

const backends = ['old0', 'old1', 'new0'].map((id) => ({
  url: `http://${id}.test`,
  id,
  tags: id.startsWith('new') ? ['canary'] : [],
  maxInFlight: 10,
}))
const down = { by: 'test', reason: 'down' }

function trying(t: TestContext, settings: object) {
  return balancing(t, {
    backends,
    policy: { name: 'canary', policy: 'round-robin', ...settings },
    random: evenly(20),
  })
}

const user = (name: string) => ({ headers: { 'x-user': name } })
const users = Array.from({ length: 1000 }, (_, index) => `user-${index}`)

test('canaries get their share of the requests, however many there are', (t) => {
  assert.deepEqual(countsOf(trying(t, { share: 0.1 }), 20), { new0: 2, old0: 9, old1: 9 })
  assert.deepEqual(countsOf(trying(t, { share: 1 }), 20), { new0: 20 })
})

test('without a share, canaries get only what asks for them', (t) => {
  const balancer = trying(t, { header: 'X-Canary', cookie: 'canary' })
  const asking = (headers: Record<string, string>) => pick(balancer, { headers })!.id.slice(0, 3)
  assert.deepEqual(countsOf(balancer, 10), { old0: 5, old1: 5 })
  assert.equal(asking({ 'x-canary': 'always' }), 'new')
  assert.equal(asking({ 'x-canary': 'yes' }), 'old')
  assert.equal(asking({ cookie: 'a=1; canary=always' }), 'new')
  assert.equal(asking({ 'x-canary': 'never', cookie: 'canary=always' }), 'old')
})

test('a request can stay away from canaries', (t) => {
  const balancer = trying(t, { share: 1, header: 'x-canary' })
  assert.equal(pick(balancer, { headers: { 'x-canary': 'never' } })!.id, 'old0')
})

test('with a key, each user stays on one side, and those with the canaries stay there when the share grows', (t) => {
  const sides = (share: number) => {
    const balancer = trying(t, { share, key: { header: 'x-user' } })
    return users.map((name) => pick(balancer, user(name))!.id.startsWith('new'))
  }
  const [few, more] = [sides(0.1), sides(0.3)]
  assert.deepEqual(sides(0.1), few)
  assert.ok(few.every((isNew, index) => !isNew || more[index]))
  // Binomial: five standard deviations.
  for (const [isNew, share] of [
    [few, 0.1],
    [more, 0.3],
  ] as const) {
    const count = isNew.filter(Boolean).length
    assert.ok(Math.abs(count - 1000 * share) <= 5 * Math.sqrt(1000 * share * (1 - share)), `${count} for ${share}`)
  }
})

test('a request without the key is drawn', (t) => {
  assert.deepEqual(countsOf(trying(t, { share: 0.5, key: { header: 'x-user' } }), 20), { new0: 10, old0: 5, old1: 5 })
})

test('where one side has nobody healthy, the other gets all', (t) => {
  const balancer = trying(t, { share: 0.5, header: 'x-canary' })
  const veto = balancer.veto(balancer.backend('new0'), down)
  assert.deepEqual(countsOf(balancer, 10), { old0: 5, old1: 5 })
  assert.ok(pick(balancer, { headers: { 'x-canary': 'always' } }))
  veto.lift()
  for (const id of ['old0', 'old1']) balancer.veto(balancer.backend(id), down)
  assert.deepEqual(countsOf(balancer, 10), { new0: 10 })
})
