import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import type { Entry, Instance, Store } from '../../src/index.ts'

/** Opens one more client of what all clients of a test share, e.g. in another process. The test closes it. */
export type Connect = () => Promise<Store>

/** Makes an empty place, and says how its clients are opened. */
export type Open = (t: TestContext) => Promise<Connect>

const forever = 600_000

const instance = (id: string, rest: Partial<Instance> = {}): Instance => ({
  id,
  since: 1,
  state: 'ready',
  about: {},
  ...rest,
})

/** What every store has to do, whatever it keeps its values in; `name` says which one this is. */
export function storeContract(name: string, open: Open): void {
  function check(what: string, body: (one: Store, other: Store, connect: Connect) => Promise<void>) {
    void test(`${name}: ${what}`, async (t) => {
      const connect = await open(t)
      const [one, other] = [await connect(), await connect()]
      t.after(() => {
        one.close()
        other.close()
      })
      await body(one, other, connect)
    })
  }

  check('what one keeps, the others read', async (one, other) => {
    assert.equal(await other.read('a'), undefined)
    const value = { list: [1, 'two', null], deep: { yes: true } }
    assert.deepEqual(await one.compareAndSet('a', 0, value), { version: 1, value })
    assert.deepEqual(await other.read('a'), { version: 1, value })
    assert.equal(await other.read('b'), undefined)
  })

  check('only one who knows the newest version changes it', async (one, other) => {
    await one.compareAndSet('a', 0, 'first')
    assert.equal(await other.compareAndSet('a', 0, 'late'), undefined)
    assert.equal(await other.compareAndSet('a', 2, 'early'), undefined)
    assert.deepEqual(await other.compareAndSet('a', 1, 'second'), { version: 2, value: 'second' })
    assert.deepEqual(await one.read('a'), { version: 2, value: 'second' })
  })

  check('of many at once, one is the first, each time', async (one, other) => {
    for (let version = 0; version < 5; version++) {
      const tries = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : other).compareAndSet('a', version, index),
      )
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      const through = (await Promise.all(tries)).filter((entry) => entry !== undefined)
      assert.equal(through.length, 1)
      assert.equal(through[0]!.version, version + 1)
    }
  })

  check('a key that is removed begins anew, with a higher version', async (one, other) => {
    await one.compareAndSet('a', 0, 'first')
    assert.equal(await other.compareAndSet('a', 2, undefined), undefined)
    const removed = await other.compareAndSet('a', 1, undefined)
    assert.ok(removed !== undefined && removed.version > 1)
    assert.equal(removed.value, undefined)
    assert.equal(await one.read('a'), undefined)
    assert.deepEqual([...(await one.list('')).keys()], [])
    assert.equal(await one.compareAndSet('a', removed.version, 'again'), undefined)
    const again = await one.compareAndSet('a', 0, 'again')
    assert.ok(again !== undefined && again.version > removed.version)
  })

  check('lists what begins alike', async (one, other) => {
    for (const key of ['x/1', 'x/2', 'y/1', 'x'])
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await one.compareAndSet(key, 0, key)
    const found = await other.list('x/')
    assert.deepEqual([...found.keys()].toSorted(), ['x/1', 'x/2'])
    assert.deepEqual(found.get('x/2'), { version: 1, value: 'x/2' })
    assert.equal((await other.list('z')).size, 0)
  })

  check('a watcher gets what is newer, in order, and at last what is newest', async (one, other) => {
    await one.compareAndSet('a', 0, 'before')
    const seen: Entry[] = []
    const end = other.watch('a', (entry) => seen.push(entry))
    // Once this is answered, it is being watched.
    await other.read('a')
    await one.compareAndSet('b', 0, 'another key')
    for (let version = 1; version <= 20; version++)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await (version % 2 === 0 ? one : other).compareAndSet('a', version, version)
    await until('the newest is seen', () => seen.at(-1)?.version === 21)
    const versions = seen.map(({ version }) => version)
    assert.deepEqual(
      versions,
      [...new Set(versions)].toSorted((a, b) => a - b),
    )
    for (const { version, value } of seen) assert.equal(value, version - 1)
    const removed = await one.compareAndSet('a', 21, undefined)
    await until('the removal is seen', () => seen.at(-1)!.version === removed!.version)
    assert.equal(seen.at(-1)!.value, undefined)
    end()
    end()
    const { length } = seen
    const own: Entry[] = []
    other.watch('a', (entry) => own.push(entry))
    await other.read('a')
    await one.compareAndSet('a', 0, 'after')
    await until('another watcher sees it', () => own.length === 1)
    assert.equal(seen.length, length)
  })

  check('nobody changes what is kept by what was given or handed out', async (one, other) => {
    const value = { list: ['a'] }
    const written = (await one.compareAndSet('a', 0, value))!
    const watched: Entry[] = []
    const alsoWatched: Entry[] = []
    one.watch('a', (entry) => watched.push(entry))
    one.watch('a', (entry) => {
      Reflect.set((entry.value as typeof value).list, 0, 'spoilt')
      alsoWatched.push(entry)
    })
    value.list.push('spoilt')
    const read = (await one.read('a'))!
    Reflect.set((read.value as typeof value).list, 0, 'spoilt')
    Reflect.set((written.value as typeof value).list, 0, 'spoilt')
    assert.deepEqual((await one.read('a'))!.value, { list: ['a'] })
    assert.deepEqual((await other.read('a'))!.value, { list: ['a'] })
    await other.compareAndSet('a', 1, { list: ['b'] })
    await until('both have seen it', () => watched.length + alsoWatched.length === 2)
    assert.deepEqual((await one.read('a'))!.value, { list: ['b'] })
  })

  check(
    'instances are known in the order in which they came, until they are withdrawn',
    async (one, other, connect) => {
      let seen: readonly Instance[] | undefined
      const end = other.watchInstances((all) => (seen = all))
      await until('it is told that there are none', () => seen !== undefined)
      assert.deepEqual(seen, [])
      await one.announce(instance('b', { about: { load: 1 } }), forever)
      await other.announce(instance('a', { state: 'starting' }), forever)
      await one.announce(instance('b', { about: { load: 2 } }), forever)
      await until('all of it is seen', () => seen!.length === 2 && seen![0]!.about.load === 2)
      assert.deepEqual(seen, [instance('b', { about: { load: 2 } }), instance('a', { state: 'starting' })])
      const third = await connect()
      let first: readonly Instance[] | undefined
      third.watchInstances((all) => (first ??= all))
      await until('one that comes later is told', () => first !== undefined)
      assert.deepEqual(first, seen)
      third.close()
      await other.withdraw('b')
      await other.withdraw('nobody')
      await until('it is gone', () => seen!.length === 1)
      await one.announce(instance('b'), forever)
      await until('it is the last one now', () => seen!.length === 2)
      assert.deepEqual(
        seen.map(({ id }) => id),
        ['a', 'b'],
      )
      end()
      const before = seen
      let own: readonly Instance[] = []
      other.watchInstances((all) => (own = all))
      await one.withdraw('a')
      await until('another watcher sees it', () => own.length === 1)
      assert.equal(seen, before)
    },
  )

  check('an instance that falls silent is forgotten, and one that does not is kept', async (one, other) => {
    let seen: readonly Instance[] = []
    other.watchInstances((all) => (seen = all))
    await one.announce(instance('steady'), 20)
    await one.announce(instance('steady'), forever)
    await one.announce(instance('silent'), 40)
    await one.announce(instance('later'), forever)
    await until('it is forgotten', () => seen.map(({ id }) => id).join() === 'steady,later')
  })

  check('a hint reaches all that listen to its topic, the sender too', async (one, other) => {
    const heard: unknown[][] = [[], [], []]
    one.subscribe('t', (message) => heard[0]!.push(message))
    const end = other.subscribe('t', (message) => heard[1]!.push(message))
    other.subscribe('t', (message) => heard[1]!.push(message))
    other.subscribe('t/else', (message) => heard[2]!.push(message))
    await Promise.all([one.read('a'), other.read('a')])
    const hint = { from: 'one', numbers: [1, 2] }
    one.publish('t', hint)
    await until('all have heard it', () => heard[0]!.length === 1 && heard[1]!.length === 2)
    assert.deepEqual(heard, [[hint], [hint, hint], []])
    end()
    await other.read('a')
    one.publish('t', 'second')
    one.publish('t/else', 'third')
    await until('it has come to those that are left', () => heard[2]!.length === 1 && heard[1]!.length === 3)
    assert.deepEqual(heard[1], [hint, hint, 'second'])
  })

  check('one that is closed hears nothing, answers nothing, and leaves the others alone', async (one, other) => {
    const heard: unknown[] = []
    one.watch('a', (entry) => heard.push(entry))
    one.subscribe('t', (message) => heard.push(message))
    one.watchInstances((all) => heard.push(all))
    await one.announce(instance('one'), forever)
    await until('it is told of the instances', () => heard.length > 0)
    const waiting = one.read('a')
    one.close()
    one.close()
    await waiting.catch(() => {})
    const { length } = heard
    await assert.rejects(one.read('a'))
    await assert.rejects(one.compareAndSet('a', 0, 'late'))
    await assert.rejects(one.announce(instance('one'), forever))
    one.publish('t', 'late')
    const own: unknown[] = []
    other.subscribe('t', (message) => own.push(message))
    await other.compareAndSet('a', 0, 'kept')
    other.publish('t', 'still here')
    await until('the other one goes on', () => own.length > 0)
    assert.deepEqual(own, ['still here'])
    assert.equal(heard.length, length)
  })
}
