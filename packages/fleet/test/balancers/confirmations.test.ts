import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Confirmations } from '../../src/balancers/confirmations.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { member, members } from '../instances/stage.ts'
import { TroubledStore } from '../store/troubled-store.ts'

/** What becomes of a promise, as far as it is known by now. */
function watched(waiting: Promise<void>): { isOver: boolean } {
  const watch = { isOver: false }
  void waiting.then(() => (watch.isOver = true))
  return watch
}

test('a change is confirmed once every other instance has it, or a newer one', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  const [here, atB, atC] = [a, b, c].map((fleet) => new Confirmations(fleet, 'k')) as [
    Confirmations,
    ...Confirmations[],
  ]
  here.confirm(2)
  assert.deepEqual(here.late(2), ['b', 'c'])
  const waiting = here.wait(2)
  const watch = watched(waiting)
  atB!.confirm(1)
  atC!.confirm(3)
  await turn()
  assert.deepEqual(here.late(2), ['b'])
  assert.equal(watch.isOver, false)
  atB!.confirm(2)
  await waiting
  assert.deepEqual(here.late(2), [])
  await here.wait(2)
})

test('an older confirmation that comes later changes nothing', async (t) => {
  const { a, b } = await members(t, ['a', 'b'])
  const here = new Confirmations(a, 'k')
  b.publish('confirmed/k', 5)
  b.publish('confirmed/k', 4)
  await turn()
  assert.deepEqual(here.late(5), [])
})

test('a confirmation that was lost comes with the next announcement', async (t) => {
  const { a, b } = await members(t, ['a', 'b'], new TroubledStore(new MemoryStore(), ['lost']))
  const [here, atB] = [new Confirmations(a, 'k'), new Confirmations(b, 'k')]
  const waiting = here.wait(1)
  atB.confirm(1)
  await turn()
  assert.deepEqual(here.late(1), ['b'])
  await b.announce()
  await waiting
  assert.deepEqual(here.late(1), [])
})

test('nobody waits for instances that leave, or are starting', async (t) => {
  const { a, b } = await members(t, ['a', 'b'])
  const here = new Confirmations(a, 'k')
  await member(t, a.store, 'c').join()
  assert.deepEqual(here.late(1), ['b'])
  const waiting = here.wait(1)
  await b.leave()
  await waiting
})

test('one that comes back under the same name has confirmed nothing yet', async (t) => {
  const store = new MemoryStore()
  const { a, b } = await members(t, ['a', 'b'], store)
  const here = new Confirmations(a, 'k')
  new Confirmations(b, 'k').confirm(1)
  await turn()
  assert.deepEqual(here.late(1), [])
  await b.leave()
  await members(t, ['b'], store)
  assert.deepEqual(here.late(1), ['b'])
})

test('after 2 s, a change is answered without those that are late', async (t) => {
  const { a } = await members(t, ['a', 'b'])
  const here = new Confirmations(a, 'k')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const waiting = here.wait(1)
  const watch = watched(waiting)
  t.mock.timers.tick(1999)
  await turn()
  assert.equal(watch.isOver, false)
  t.mock.timers.tick(1)
  await waiting
  assert.deepEqual(here.late(1), ['b'])
})
