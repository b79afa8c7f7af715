import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { FleetHost } from '../../src/ipc/fleet-host.ts'
import { IpcStore } from '../../src/ipc/ipc-store.ts'
import type { Instance } from '../../src/store/store.ts'
import { storeContract } from '../store/contract.ts'
import { pipe } from './pipe.ts'
import { Puppets } from './puppets.ts'

describe('worker processes', () => {
  const puppets = new Puppets()
  after(() => puppets.end())

  storeContract('from a forked process and a worker of node:cluster', async () => {
    const host = new FleetHost()
    let place = 0
    return () => puppets.store(host, place++)
  })

  test('a worker that is killed takes its announcement with it at once, and the others go on', async () => {
    const host = new FleetHost()
    const [killed, other] = [await puppets.store(host, 0), await puppets.store(host, 1)]
    let seen: readonly Instance[] = []
    other.watchInstances((all) => (seen = all))
    for (const [id, store] of Object.entries({ killed, other }))
      await store.announce({ id, since: 1, state: 'ready', about: {} }, 600_000)
    await until('both are known', () => seen.length === 2)
    puppets.kill(0)
    await until('it is forgotten', () => seen.length === 1)
    assert.equal(seen[0]!.id, 'other')
    assert.deepEqual(await other.compareAndSet('a', 0, 1), { version: 1, value: 1 })
  })
})

test('once the parent is gone, calls that wait and later ones fail', async () => {
  const { worker, parent, disconnect } = pipe()
  new FleetHost().serve(worker)
  const store = new IpcStore(parent)
  const waiting = store.read('a')
  disconnect()
  await assert.rejects(waiting, /parent process is gone/)
  await assert.rejects(store.read('a'), /parent process is gone/)
  store.publish('t', 'nobody hears it')
})

test('while the parent is paused, calls fail, and a change that failed is not made later', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { worker, parent, pause, goOn } = pipe()
  pause()
  const store = new IpcStore(parent)
  const failed = [store.read('a'), store.compareAndSet('a', 0, 1)].map((call) =>
    assert.rejects(call, /parent process does not answer/),
  )
  for (let second = 0; second < 6; second++) t.mock.timers.tick(1000)
  await Promise.all(failed)
  const later = process.hrtime.bigint() + 6_000_000_000n
  t.mock.method(process.hrtime, 'bigint', () => later)
  new FleetHost().serve(worker)
  goOn()
  assert.equal(await store.read('a'), undefined)
  assert.deepEqual(await store.compareAndSet('a', 0, 2), { version: 1, value: 2 })
})

test('several stores of one process have one channel', async () => {
  const { worker, parent } = pipe()
  new FleetHost().serve(worker)
  const [one, other] = [new IpcStore(parent), new IpcStore(parent)]
  const seen: unknown[] = []
  one.watch('a', ({ value }) => seen.push(['one', value]))
  other.watch('b', ({ value }) => seen.push(['other', value]))
  const kept = await Promise.all([one.compareAndSet('a', 0, 1), other.compareAndSet('b', 0, 2)])
  assert.deepEqual(
    kept.map((entry) => entry?.value),
    [1, 2],
  )
  await until('both have seen it', () => seen.length === 2)
  assert.deepEqual(seen, [
    ['one', 1],
    ['other', 2],
  ])
  one.close()
  assert.equal((await other.read('a'))?.value, 1)
})

test('a worker that is busy for a while gets what is newest by then, and not all there was', async () => {
  let finish: (() => void) | undefined
  const sent: { readonly value: { readonly version: number } }[] = []
  const listeners: ((message: unknown) => void)[] = []
  const host = new FleetHost()
  host.serve({
    send(message, callback) {
      const { kind, ...delivery } = Object.values(message)[0] as { kind: string; value: { version: number } }
      if (kind === 'event') sent.push(delivery)
      finish = () => callback?.(null)
    },
    on: (_event: string, listener: (message: unknown) => void) => listeners.push(listener),
  })
  listeners[0]!({ fastifyBalancerFleet: { kind: 'watch', number: 1, name: 'a' } })
  for (let version = 0; version < 50; version++)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await host.store.compareAndSet('a', version, version)
  assert.deepEqual(
    sent.map(({ value }) => value.version),
    [1],
  )
  finish!()
  assert.deepEqual(
    sent.map(({ value }) => value.version),
    [1, 50],
  )
})

test('hints do not pile up for a paused worker, and come again once it goes on', async () => {
  const waiting: (() => void)[] = []
  const listeners: ((message: unknown) => void)[] = []
  const host = new FleetHost()
  host.serve({
    send: (_message, callback) => waiting.push(() => callback?.(null)),
    on: (_event: string, listener: (message: unknown) => void) => listeners.push(listener),
  })
  listeners[0]!({ fastifyBalancerFleet: { kind: 'subscribe', number: 1, name: 't' } })
  const publish = async (hints: number) => {
    for (let hint = 0; hint < hints; hint++) host.store.publish('t', hint)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await publish(5000)
  assert.equal(waiting.length, 1000)
  for (const written of waiting.splice(0)) written()
  await publish(3)
  assert.equal(waiting.length, 3)
})
