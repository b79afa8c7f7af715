import type { TestContext } from 'node:test'
import { Fleet } from '../../src/instances/fleet.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

/** How often members say that they are there (ms): so rarely that no test hangs on it. */
const heartbeat = 60_000

/** One instance without an app. */
export function member(t: TestContext, store: Store, id: string): Fleet {
  const fleet = new Fleet(store, { id, heartbeat })
  t.after(() => fleet.leave())
  return fleet
}

/** Instances that have joined one store, one after the other, and are ready. */
export async function members<Id extends string>(
  t: TestContext,
  ids: readonly Id[],
  store: Store = new MemoryStore(),
): Promise<Record<Id, Fleet>> {
  const all: [Id, Fleet][] = []
  for (const id of ids) {
    const fleet = member(t, store, id)
    await fleet.join()
    await fleet.become('ready')
    all.push([id, fleet])
  }
  return Object.fromEntries(all) as Record<Id, Fleet>
}
