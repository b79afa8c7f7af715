import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Instance } from '../../src/store/store.ts'
import { member, members } from './stage.ts'

test('the keeper is the oldest that is not draining; of those that all drain, the oldest', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  const keepers = () => [a, b, c].map(({ keeper }) => keeper).join('')
  assert.equal(keepers(), 'aaa')
  assert.deepEqual([a.isKeeper, b.isKeeper], [true, false])
  await a.become('draining')
  assert.equal(keepers(), 'bbb')
  await b.become('draining')
  await c.become('draining')
  assert.equal(keepers(), 'aaa')
  await a.leave()
  assert.equal(b.keeper, 'b')
})

test('before anybody has joined, there is no keeper', (t) => {
  const fleet = member(t, new MemoryStore(), 'a')
  assert.deepEqual([fleet.keeper, fleet.isKeeper], [undefined, false])
})

test('one that has joined knows the others, and they know it', async (t) => {
  const store = new MemoryStore()
  const { a } = await members(t, ['a'], store)
  const seen: string[][] = []
  a.onChange((all) => seen.push(all.map(({ id, state }) => `${id} ${state}`)))
  const b = member(t, store, 'b')
  await b.join()
  assert.deepEqual(b.others, ['a'])
  assert.deepEqual(a.others, ['b'])
  assert.deepEqual(seen, [['a ready', 'b starting']])
})

test('a join waits until the store tells of it', async (t) => {
  class Slow extends MemoryStore {
    tell: ((all: readonly Instance[]) => void) | undefined
    override watchInstances(onInstances: (all: readonly Instance[]) => void) {
      this.tell = onInstances
      return () => {}
    }
  }
  const store = new Slow()
  const fleet = member(t, store, 'a')
  let hasJoined = false
  const joining = fleet.join().then(() => (hasJoined = true))
  const instance = (id: string): Instance => ({ id, since: 1, state: 'ready', about: {} })
  await turn()
  store.tell!([instance('b')])
  await turn()
  assert.equal(hasJoined, false)
  store.tell!([instance('b'), instance('a')])
  await joining
})

test('one that leaves is gone, even if it was just announcing itself', async (t) => {
  class Slow extends MemoryStore {
    readonly held: (() => void)[] = []
    isHeld = false
    override async announce(instance: Instance, ttl: number): Promise<void> {
      if (this.isHeld) await new Promise<void>((resolve) => this.held.push(resolve))
      return super.announce(instance, ttl)
    }
  }
  const store = new Slow()
  const { a, b } = await members(t, ['a', 'b'], store)
  store.isHeld = true
  const announcing = [a.announce(), a.announce()]
  const leaving = a.leave()
  await store.read('')
  for (const release of store.held) release()
  await Promise.all([...announcing, leaving])
  assert.deepEqual(b.others, [])
  await a.announce()
  await a.become('ready')
  assert.deepEqual(b.others, [])
})

test('what is told of an instance is read when it announces itself, until that is ended', async (t) => {
  const { a, b } = await members(t, ['a', 'b'])
  const about = () => b.instances[0]!.about
  let load = 1
  const end = a.tell('load', () => load)
  await a.announce()
  assert.deepEqual(about(), { load: 1 })
  load = 2
  await a.announce()
  assert.deepEqual(about(), { load: 2 })
  a.tell('load', () => 3)
  end()
  await a.announce()
  assert.deepEqual(about(), { load: 3 })
})

test('a hint reaches the others and not its sender', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  const heard: string[] = []
  for (const fleet of [a, b, c])
    fleet.subscribe('t', (message, from) => heard.push(`${fleet.id}: ${String(message)} of ${from}`))
  a.publish('t', 'look')
  await a.store.read('')
  assert.deepEqual(heard, ['b: look of a', 'c: look of a'])
})

test('one key has one register, which ends with the instance', async (t) => {
  const { a, b } = await members(t, ['a', 'b'])
  const register = a.register<number>('k')
  assert.equal(a.register('k'), register)
  const seen: number[] = []
  register.onChange(({ value }) => seen.push(value))
  await b.register<number>('k').change((now = 0) => now + 1)
  assert.deepEqual(seen, [1])
  await a.leave()
  await b.register<number>('k').change((now = 0) => now + 1)
  assert.deepEqual(seen, [1])
})
