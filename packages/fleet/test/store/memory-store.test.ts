import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { MemoryStore, type Instance } from '../../src/index.ts'
import { IpcStore } from '../../src/ipc/ipc-store.ts'
import { FleetHost } from '../../src/index.ts'
import { pipe } from '../ipc/pipe.ts'
import { storeContract } from './contract.ts'

/** Clients of one memory store, each with subscriptions of its own. */
storeContract('in one process', async () => {
  const host = new FleetHost()
  return async () => {
    const { worker, parent } = pipe()
    host.serve(worker)
    return new IpcStore(parent)
  }
})

test('an instance is forgotten when its time is over, to the millisecond', async () => {
  const clock = new ManualClock()
  const store = new MemoryStore(clock)
  let seen: readonly Instance[] = []
  store.watchInstances((all) => (seen = all))
  await store.announce({ id: 'a', since: 1, state: 'ready', about: {} }, 1000)
  clock.advance(999)
  await store.announce({ id: 'a', since: 1, state: 'draining', about: {} }, 500)
  clock.advance(499)
  assert.deepEqual(
    seen.map(({ state }) => state),
    ['draining'],
  )
  clock.advance(1)
  assert.deepEqual(seen, [])
  assert.equal(clock.pending, 0)
})

test('after a pause of the process, those that announce themselves again at once were never forgotten', async () => {
  const clock = new ManualClock()
  const store = new MemoryStore(clock)
  const seen: number[] = []
  store.watchInstances((all) => seen.push(all.length))
  const announce = () => store.announce({ id: 'a', since: 1, state: 'ready', about: {} }, 1000)
  await announce()
  clock.advance(400)
  clock.pause(60_000)
  await announce()
  clock.advance(999)
  assert.deepEqual(new Set(seen), new Set([1]))
  clock.advance(1)
  assert.deepEqual(seen.at(-1), 0)
})

test('a watcher that throws does not keep anything from the others', async (t) => {
  const store = new MemoryStore()
  const errors: unknown[] = []
  const seen: unknown[] = []
  t.mock.method(globalThis, 'queueMicrotask', (work: () => void) => {
    void Promise.resolve()
      .then(work)
      .catch((error: unknown) => errors.push(error))
  })
  store.subscribe('t', () => {
    throw new Error('mine')
  })
  store.subscribe('t', (message) => seen.push(message))
  store.publish('t', 1)
  store.publish('t', 2)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(seen, [1, 2])
  assert.equal(errors.length, 2)
})
