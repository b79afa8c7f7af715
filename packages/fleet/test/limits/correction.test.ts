import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { correct, type Holder } from '../../src/limits/correction.ts'

const names = ['a', 'b', 'c', 'd', 'e']

interface Simulated {
  demand: number
  inFlight: number
  limit: number
  isDraining: boolean
}

/** Instances at one backend, with the ledger that they share; what they know of each other may be old. */
class Instances {
  readonly total: number
  readonly granted = new Map<string, number>()
  readonly live = new Map<string, Simulated>()
  /** By who heard, and of whom. */
  readonly #heard = new Map<string, Map<string, number>>()

  constructor(total: number) {
    this.total = total
  }

  join(id: string): void {
    if (this.live.has(id)) return
    this.live.set(id, { demand: 0, inFlight: 0, limit: 1, isDraining: false })
    this.#heard.set(id, new Map())
  }

  /** Its requests are forgotten with it, and others forget it in the ledger. */
  end(id: string): void {
    this.live.delete(id)
    this.granted.delete(id)
    for (const heard of this.#heard.values()) heard.delete(id)
  }

  /** Requests begin within the limit; one that is in flight may stay as long as it likes. */
  ask(id: string, demand: number): void {
    const one = this.live.get(id)
    if (one === undefined) return
    one.demand = demand
    one.inFlight = Math.max(one.inFlight, Math.min(demand, one.limit))
  }

  answer(id: string, count: number): void {
    const one = this.live.get(id)
    if (one !== undefined) one.inFlight = Math.max(0, one.inFlight - count)
  }

  tell(from: string, to: string): void {
    const told = this.live.get(from)
    if (told !== undefined) this.#heard.get(to)?.set(from, told.demand)
  }

  step(id: string): void {
    const one = this.live.get(id)
    if (one === undefined) return
    const holder = (other: string, wants: number): Holder => ({
      id: other,
      granted: this.granted.get(other) ?? 0,
      wants,
      takesRest: !this.live.get(other)!.isDraining,
    })
    const others = [...this.granted.keys()].filter((other) => other !== id)
    const next = correct({
      total: this.total,
      self: holder(id, one.demand),
      others: others.map((other) => holder(other, this.#heard.get(id)!.get(other) ?? 0)),
      inFlight: one.inFlight,
    })
    this.granted.set(id, next.granted)
    one.limit = next.limit
  }

  /** The limits in force, and what is in flight above them, never add up to more than there is, but for the 1 of each. */
  check(): void {
    let used = 0
    for (const [id, { inFlight, limit }] of this.live) {
      const granted = this.granted.get(id) ?? 1
      assert.ok(limit >= 1)
      assert.ok(Math.max(limit, inFlight) <= granted, `${id}: ${limit} and ${inFlight} of ${granted}`)
      if (granted > 1) used += granted
    }
    assert.ok(used <= this.total, `${used} of ${this.total}: ${JSON.stringify([...this.granted])}`)
  }

  /** Everybody hears everybody, and requests above a limit end. Answers what each has in the end. */
  settle(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const id of this.live.keys()) for (const other of this.live.keys()) this.tell(other, id)
      for (const [id, { demand }] of this.live) {
        this.step(id)
        const one = this.live.get(id)!
        one.inFlight = Math.min(demand, one.limit)
        this.check()
      }
    }
  }
}

const name = fc.constantFrom(...names)
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), id: name }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), id: name }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), id: name }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const), id: name, count: fc.nat(40) }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('answer' as const), id: name, count: fc.nat(40) }) },
    { weight: 16, arbitrary: fc.record({ do: fc.constant('tell' as const), id: name, to: name }) },
    { weight: 16, arbitrary: fc.record({ do: fc.constant('step' as const), id: name }) },
  ),
  { maxLength: 120, size: 'max' },
)

type Steps = typeof steps extends fc.Arbitrary<infer All> ? All : never

function carriedOut(total: number, all: Steps): Instances {
  const instances = new Instances(total)
  for (const step of all) {
    if (step.do === 'join') instances.join(step.id)
    else if (step.do === 'end') instances.end(step.id)
    else if (step.do === 'ask') instances.ask(step.id, step.count)
    else if (step.do === 'answer') instances.answer(step.id, step.count)
    else if (step.do === 'tell') instances.tell(step.id, step.to)
    else if (step.do === 'step') instances.step(step.id)
    else if (instances.live.has(step.id)) instances.live.get(step.id)!.isDraining = true
    instances.check()
  }
  return instances
}

test('whatever happens and whatever hints are lost, what is in force never adds up to more than there is', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), steps, (total, all) => void carriedOut(total, all)))
})

test('four corrections after the last change at the latest, nobody lacks what the others leave, and nothing moves any more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), steps, (total, all) => {
      const instances = carriedOut(total, all)
      instances.settle(4)
      const granted = new Map(instances.granted)
      const live = [...instances.live]
      const isEnough = live.reduce((sum, [, { demand }]) => sum + Math.max(1, demand), 0) <= total
      for (const [id, { demand, limit }] of live) {
        const fair = Math.floor(total / live.length)
        assert.ok(limit >= (isEnough ? demand : Math.min(demand, fair)), `${id} asks for ${demand}, may ${limit}`)
      }
      instances.settle(2)
      assert.deepEqual(instances.granted, granted)
    }),
  )
})

test('one that joins gets its part of what nobody uses, and the parts of one that ends go to the others', () => {
  const instances = new Instances(64)
  instances.join('a')
  instances.settle(1)
  assert.deepEqual([...instances.granted], [['a', 64]])
  instances.join('b')
  instances.settle(4)
  assert.deepEqual(Object.fromEntries(instances.granted), { a: 32, b: 32 })
  instances.end('a')
  instances.settle(1)
  assert.deepEqual(Object.fromEntries(instances.granted), { b: 64 })
})

test('small differences move nothing', () => {
  const holder = { id: 'a', granted: 30, wants: 8, takesRest: true }
  const other = { id: 'b', granted: 34, wants: 20, takesRest: true }
  assert.deepEqual(correct({ total: 64, self: holder, others: [other], inFlight: 3 }), { granted: 30, limit: 30 })
  const wanting = { ...other, wants: 40 }
  assert.deepEqual(correct({ total: 64, self: holder, others: [wanting], inFlight: 29 }), { granted: 29, limit: 16 })
})
