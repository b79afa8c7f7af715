import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Legacy } from '../src/legacies/legacy.ts'
import { MemoryStore } from '../src/index.ts'

/** Instances that count, and end in different ways. */
class Counting {
  readonly store = new MemoryStore()
  readonly present = new Map<string, { count: number; readonly legacy: Legacy<number> }>()
  /** They do nothing, and the others do not know why. */
  readonly paused = new Map<string, { count: number; readonly legacy: Legacy<number> }>()
  #last = 0

  join(): void {
    const id = String(++this.#last)
    const { present } = this
    const instances = {
      id,
      get others() {
        return [...present.keys()].filter((one) => one !== id)
      },
      get isKeeper() {
        return present.keys().next().value === id
      },
    }
    const read = () => (this.present.get(id) ?? this.paused.get(id))!.count
    const legacy = new Legacy<number>(this.store, instances, 'requests', { read, merge: (one, other) => one + other })
    this.present.set(id, { count: 0, legacy })
  }

  /** It has saved what it has counted, with its last heartbeat. */
  async pause(id: string): Promise<void> {
    const one = this.present.get(id)!
    await one.legacy.save()
    this.present.delete(id)
    this.paused.set(id, one)
  }

  /** All that were paused go on. */
  resume(): void {
    for (const [id, one] of this.paused) this.present.set(id, one)
    this.paused.clear()
  }

  /** Asks every instance as a scrape does. */
  async total(by: string): Promise<number> {
    await Promise.all([...this.present.values()].map(({ legacy }) => legacy.save()))
    let sum = (await this.present.get(by)!.legacy.departed()) ?? 0
    for (const { count } of this.present.values()) sum += count
    return sum
  }
}

type Step = {
  readonly kind: 'join' | 'count' | 'leave' | 'kill' | 'pause' | 'resume' | 'scrape' | 'tidy'
  readonly which: number
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('join', 'count', 'count', 'leave', 'kill', 'pause', 'resume', 'scrape', 'tidy'),
    which: fc.nat(9),
  }) as fc.Arbitrary<Step>,
  { maxLength: 60 },
)

test('a total never falls, and is exact as long as nobody is killed with counts that nobody has seen', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const fleet = new Counting()
      fleet.join()
      let exact = 0
      let told = 0
      let now = 0
      for (const { kind, which } of all) {
        const ids = [...fleet.present.keys()]
        const id = ids[which % ids.length]!
        const one = fleet.present.get(id)!
        now += 40_000
        if (kind === 'join') fleet.join()
        else if (kind === 'count') {
          one.count++
          exact++
        } else if (kind === 'tidy') await fleet.present.get(ids[0]!)!.legacy.tidy(now)
        else if (kind === 'scrape') {
          const total = await fleet.total(id)
          assert.ok(total >= told, `${total} after ${told}`)
          assert.equal(total, exact)
          told = total
        } else if (ids.length > 1) {
          if (kind === 'pause') await fleet.pause(id)
          else if (kind === 'leave') await one.legacy.save(true)
          else exact = Math.max(told, await seenBy(fleet, ids, id))
          fleet.present.delete(id)
        }
      }
      const [last] = fleet.present.keys()
      assert.equal(await fleet.total(last!), exact)
    }),
    { numRuns: 300 },
  )
})

/** What the others would find if an instance were killed now. */
async function seenBy(fleet: Counting, ids: readonly string[], killed: string): Promise<number> {
  const others = ids.filter((id) => id !== killed)
  const left = (await fleet.present.get(others[0]!)!.legacy.departed(new Set(others))) ?? 0
  return others.reduce((sum, id) => sum + fleet.present.get(id)!.count, left)
}

/** Two instances that have counted 5 together; the other one has not said that it leaves, and was missing for two minutes. */
async function missing(): Promise<Counting> {
  const fleet = new Counting()
  fleet.join()
  fleet.join()
  fleet.present.get('1')!.count = 2
  fleet.present.get('2')!.count = 3
  await fleet.pause('2')
  for (const now of [0, 60_000, 120_000]) await fleet.present.get('1')!.legacy.tidy(now)
  return fleet
}

test('one that was paused for minutes counts once when it is back', async () => {
  const fleet = await missing()
  assert.equal(await fleet.total('1'), 5)
  fleet.resume()
  fleet.present.get('2')!.count++
  assert.equal(await fleet.total('1'), 6)
})

test('what is left of those that were killed does not grow for ever', async () => {
  const fleet = await missing()
  for (let killed = 3; killed < 103; killed++) {
    fleet.join()
    fleet.present.get(String(killed))!.count = 1
    await fleet.pause(String(killed))
    for (const after of [0, 60_000]) await fleet.present.get('1')!.legacy.tidy(killed * 120_000 + after)
  }
  assert.equal(await fleet.total('1'), 105)
  assert.equal((await fleet.store.list('legacy/requests/own/')).size, 21)
})
