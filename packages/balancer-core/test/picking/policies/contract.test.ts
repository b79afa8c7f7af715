import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { corePolicies } from '../../../src/picking/policies/by-name.ts'
import { parsePolicy } from '../../../src/picking/policies/parse-policy.ts'
import type { PolicyName } from '../../../src/picking/policies/policy-option.ts'
import type { Picker, Policy, PickRequest } from '../../../src/picking/policy.ts'

const names = Object.keys(corePolicies) as (keyof typeof corePolicies)[]
const request: PickRequest = { method: 'GET', url: '/', headers: {} }

function backendOf(id: string, weight = 1): Backend {
  return new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 1000, tags: [] }, {} as Pool)
}

function backendsOf(...ids: string[]): Backend[] {
  return ids.map((id) => backendOf(id))
}

function picks(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => picker.pick(request)?.id ?? '-').join('')
}

function countsOf(picker: Picker, count: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let index = 0; index < count; index++) {
    const { id } = picker.pick(request)!
    counts[id] = (counts[id] ?? 0) + 1
  }
  return counts
}

/** The same numbers for ever: a linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Numbers that divide 0 to 1 into `parts` equal parts and visit the middle of each once a round, in a scattered order. */
function stratified(parts: number): () => number {
  const stride = [7, 5, 3, 2, 1].find((one) => parts % one !== 0 || one === 1)!
  let round = 0
  return () => (((round++ * stride) % parts) + 0.5) / parts
}

/** What a policy must be given so that its draws come out even: p2c takes two numbers for each pick, the first decides. */
function evenRandom(name: PolicyName, parts: number): () => number {
  const even = stratified(parts)
  if (name !== 'p2c') return even
  const second = seeded(1)
  let turn = 0
  return () => (turn++ % 2 === 0 ? even() : second())
}

/** The van der Corput sequence: 0, 1/2, 1/4, 3/4, 1/8, 5/8, 3/8, 7/8 … */
function vanDerCorput(): () => number {
  let index = 0
  return () => {
    let value = 0
    for (let rest = index++, digit = 0.5; rest > 0; rest >>= 1, digit /= 2) if (rest & 1) value += digit
    return value
  }
}

/** One number for every choice: the first draw of p2c decides as long as loads are equal. */
function oneDrawEach(name: PolicyName, draws: () => number): () => number {
  if (name !== 'p2c') return draws
  let turn = 0
  return () => (turn++ % 2 === 0 ? draws() : 0.5)
}

/** What the policies pick while the set changes; `-` would be nothing. Worked out by hand from each policy's rule. */
const throughChanges: Record<keyof typeof corePolicies, string> = {
  // The position moves on over what is there.
  'round-robin': 'abc da bc dea bcd',
  // What each is owed when c goes and comes back is kept as a part of one pick.
  weighted: 'abc da bd cea bdc',
  'least-requests': 'abc da bd cea bdc',
  // The draws 0 1/2 1/4, 3/4 1/8, 5/8 3/8, 7/8 1/16 9/16, 5/16 13/16 3/16, each times the number of backends.
  random: 'acb da cb eac ceb',
  p2c: 'acb da cb eac ceb',
}

for (const name of names) {
  const policyOf = (random: () => number = seeded(1)): Policy => parsePolicy(name, corePolicies, []).make(random)

  describe(`policy ${name}`, () => {
    test('is called by the name that options give it', () => {
      assert.equal(policyOf().name, name)
    })

    test('picks nothing from an empty set, before and after a set that was not', () => {
      const policy = policyOf()
      const empty = policy.over([])
      assert.equal(empty.peek(request), undefined)
      assert.equal(empty.pick(request), undefined)
      assert.equal(empty.pick(request), undefined)
      assert.equal(policy.over(backendsOf('a')).pick(request)?.id, 'a')
      const again = policy.over([])
      assert.equal(again.pick(request), undefined)
      assert.equal(again.peek(request), undefined)
    })

    test('picks the only one of a single set, whatever its load and weight', () => {
      const only = backendOf('a', 3)
      const picker = policyOf().over([only])
      for (let count = 0; count < 5; count++) {
        assert.equal(picker.peek(request), only)
        assert.equal(picker.pick(request), only)
        only.inFlight++
      }
    })

    test('picks only from the set it was built over', () => {
      const all = [backendOf('a', 5), backendOf('b'), backendOf('c', 2), backendOf('d'), backendOf('e', 9)]
      const random = seeded(7)
      const policy = policyOf(random)
      const seen = new Set<Backend>()
      for (let round = 0; round < 400; round++) {
        const available = all.filter(() => random() < 0.6)
        const picker = policy.over(available)
        for (let count = 0; count < 5; count++) {
          const picked = picker.pick(request)
          if (available.length === 0) assert.equal(picked, undefined)
          else {
            assert.ok(picked && available.includes(picked))
            seen.add(picked)
            picked.inFlight = Math.floor(random() * 4)
          }
        }
      }
      assert.equal(seen.size, all.length)
    })

    test('gives equal weights exactly equal shares of every round', () => {
      for (const count of [1, 2, 3, 4, 5, 8, 13]) {
        const backends = Array.from({ length: count }, (_, index) => backendOf(`b${index}`))
        const picker = policyOf(evenRandom(name, count)).over(backends)
        for (let round = 0; round < 4; round++) {
          assert.deepEqual(countsOf(picker, count), Object.fromEntries(backends.map(({ id }) => [id, 1])))
        }
      }
    })

    test('gives weights 5:1:1 exactly these shares of every round', () => {
      const picker = policyOf(evenRandom(name, 7)).over([backendOf('a', 5), backendOf('b'), backendOf('c')])
      for (let round = 0; round < 4; round++) assert.deepEqual(countsOf(picker, 7), { a: 5, b: 1, c: 1 })
    })

    test('treats weights that are all the same as equal, however large', () => {
      const backends = [backendOf('a', 65_535), backendOf('b', 65_535), backendOf('c', 65_535)]
      const picker = policyOf(evenRandom(name, 3)).over(backends)
      for (let round = 0; round < 4; round++) assert.deepEqual(countsOf(picker, 3), { a: 1, b: 1, c: 1 })
    })

    test('shares evenly among those that are left when one is vetoed', () => {
      const [a, b, c, d] = backendsOf('a', 'b', 'c', 'd') as [Backend, Backend, Backend, Backend]
      const policy = policyOf(evenRandom(name, 12))
      assert.deepEqual(countsOf(policy.over([a, b, c, d]), 12), { a: 3, b: 3, c: 3, d: 3 })
      assert.deepEqual(countsOf(policy.over([a, b, d]), 12), { a: 4, b: 4, d: 4 })
      assert.deepEqual(countsOf(policy.over([a, b, c, d]), 12), { a: 3, b: 3, c: 3, d: 3 })
    })

    test('goes on where it was when the set changes', () => {
      const [a, b, c, d, e] = backendsOf('a', 'b', 'c', 'd', 'e') as [Backend, Backend, Backend, Backend, Backend]
      const policy = policyOf(oneDrawEach(name, vanDerCorput()))
      const parts = [
        picks(policy.over([a, b, c, d]), 3),
        // c is vetoed, and the veto is lifted
        picks(policy.over([a, b, d]), 2),
        picks(policy.over([a, b, c, d]), 2),
        // e is added, a is removed
        picks(policy.over([a, b, c, d, e]), 3),
        picks(policy.over([b, c, d, e]), 3),
      ]
      assert.equal(parts.join(' '), throughChanges[name])
    })

    test('picks the same when the picker is built anew before each pick', () => {
      for (const weights of [
        [1, 1, 1, 1],
        [5, 1, 1, 2],
      ]) {
        const backends = weights.map((weight, index) => backendOf('abcd'[index]!, weight))
        const kept = policyOf().over(backends)
        const rebuilt = policyOf()
        const expected = picks(kept, 40)
        assert.equal(Array.from({ length: 40 }, () => picks(rebuilt.over(backends), 1)).join(''), expected)
      }
    })

    test('goes on as if nothing had been when a change is taken back before anything is picked', () => {
      const [a, b, c, d] = backendsOf('a', 'b', 'c', 'd') as [Backend, Backend, Backend, Backend]
      for (const meanwhile of [[], [a], [b], [a, c, d], [b, d], [d, c, b, a]]) {
        const undisturbed = policyOf(seeded(3)).over([a, b, c, d])
        const policy = policyOf(seeded(3))
        const before = picks(policy.over([a, b, c, d]), 5)
        policy.over(meanwhile)
        const after = picks(policy.over([a, b, c, d]), 5)
        assert.equal(before + after, picks(undisturbed, 10), `through [${meanwhile.map(({ id }) => id).join(' ')}]`)
      }
    })

    test('takes all its chance from the random it is given', (t) => {
      t.mock.method(Math, 'random', () => assert.fail('Math.random was asked'))
      const sequence = () => {
        const backends = [backendOf('a', 3), backendOf('b'), backendOf('c', 2), backendOf('d')]
        const loads = seeded(5)
        const policy = policyOf(seeded(9))
        let picked = ''
        for (let round = 0; round < 50; round++) {
          const picker = policy.over(round % 3 === 0 ? backends.slice(1) : backends)
          picked += picks(picker, 2)
          backends[Math.floor(loads() * 4)]!.inFlight = Math.floor(loads() * 5)
        }
        return picked
      }
      const first = sequence()
      assert.equal(sequence(), first)
      assert.equal(new Set(first).size, 4)
    })

    test('is fair among backends whose load is equal for their weight', () => {
      const even = backendsOf('a', 'b', 'c', 'd')
      for (const backend of even) backend.inFlight = 3
      const equal = policyOf(evenRandom(name, 4)).over(even)
      for (let round = 0; round < 4; round++) assert.deepEqual(countsOf(equal, 4), { a: 1, b: 1, c: 1, d: 1 })

      const uneven = [backendOf('a', 5), backendOf('b'), backendOf('c')]
      for (const backend of uneven) backend.inFlight = 4 * backend.weight
      const proportional = policyOf(evenRandom(name, 7)).over(uneven)
      for (let round = 0; round < 4; round++) assert.deepEqual(countsOf(proportional, 7), { a: 5, b: 1, c: 1 })
    })

    test('peek tells what pick answers next, and changes nothing', () => {
      for (const weights of [
        [1, 1, 1, 1],
        [5, 1, 1, 2],
      ]) {
        const make = () => weights.map((weight, index) => backendOf('abcd'[index]!, weight))
        const [looked, unlooked] = [make(), make()]
        const [watched, unwatched] = [policyOf(seeded(11)), policyOf(seeded(11))]
        const loads = seeded(13)
        for (let round = 0; round < 60; round++) {
          const size = 1 + Math.floor(loads() * 4)
          const picker = watched.over(looked.slice(0, size))
          const expected = unwatched.over(unlooked.slice(0, size)).pick(request)
          for (let look = 0; look <= round % 4; look++) assert.equal(picker.peek(request)?.id, expected?.id)
          assert.equal(picker.pick(request)?.id, expected?.id)
          const index = Math.floor(loads() * 4)
          looked[index]!.inFlight = unlooked[index]!.inFlight = Math.floor(loads() * 5)
        }
      }
    })

    test('peek tells also what pick answers after that, and changes nothing', () => {
      for (const weights of [[1], [1, 1, 1, 1], [5, 1, 1, 2]]) {
        const backends = weights.map((weight, index) => backendOf('abcd'[index]!, weight))
        const loads = seeded(23)
        const policy = policyOf(seeded(29))
        for (let round = 0; round < 40; round++) {
          const picker = policy.over(backends.slice(0, 1 + (round % weights.length)))
          const aheads = [0, 1, 2, 3, 4, 5, 6, 7, 8]
          const told = aheads.map((ahead) => picker.peek(request, ahead)?.id)
          // In any order, and again.
          for (const ahead of aheads.toReversed()) assert.equal(picker.peek(request, ahead)?.id, told[ahead])
          const count = 1 + (round % aheads.length)
          assert.equal(picks(picker, count), told.slice(0, count).join(''))
          backends[Math.floor(loads() * backends.length)]!.inFlight = Math.floor(loads() * 3)
        }
      }
      const empty = policyOf().over([])
      assert.equal(empty.peek(request, 3), undefined)
    })

    test('score changes nothing', () => {
      const backends = [backendOf('a', 5), backendOf('b'), backendOf('c')]
      const picker = policyOf(seeded(17)).over(backends)
      const undisturbed = policyOf(seeded(17)).over(backends)
      for (let count = 0; count < 20; count++) {
        for (const backend of backends.slice(count % 3)) picker.score?.(backend)
        assert.equal(picker.pick(request), undisturbed.pick(request))
      }
    })

    test('leaves the list it is given as it is', () => {
      const backends = Object.freeze([backendOf('a', 2), backendOf('b'), backendOf('c')])
      const order = backends.map(({ id }) => id)
      picks(policyOf().over(backends), 20)
      assert.deepEqual(
        backends.map(({ id }) => id),
        order,
      )
    })
  })
}

/** How often anything of a set of `count` is read by one pick. */
function readsOfOnePick(name: PolicyName, count: number, weightOf: (index: number) => number): number {
  let reads = 0
  const counting: ProxyHandler<object> = {
    get(target, property, receiver) {
      reads++
      return Reflect.get(target, property, receiver) as unknown
    },
  }
  const backends = Array.from(
    { length: count },
    (_, index) => new Proxy(backendOf(`b${index}`, weightOf(index)), counting),
  )
  const picker = parsePolicy(name, corePolicies, [])
    .make(seeded(19))
    .over(new Proxy(backends, counting) as readonly Backend[])
  // Where a search from either end would have to go far.
  for (let turn = 0; turn < count / 2; turn++) picker.pick(request)
  reads = 0
  picker.pick(request)
  return reads
}

describe('a pick from 10 000 backends', () => {
  for (const name of ['round-robin', 'random', 'p2c'] as const) {
    test(`reads no more than one from 10, with ${name} and equal weights`, () => {
      const reads = readsOfOnePick(name, 10, () => 1)
      assert.ok(reads <= 16, `${reads} reads`)
      assert.equal(
        readsOfOnePick(name, 10_000, () => 1),
        reads,
      )
    })
  }

  for (const name of ['random', 'p2c'] as const) {
    test(`reads no more than one from 10, with ${name} and different weights`, () => {
      const weightOf = (index: number) => 1 + (index % 3)
      const reads = readsOfOnePick(name, 10, weightOf)
      assert.ok(reads <= 16, `${reads} reads`)
      assert.equal(readsOfOnePick(name, 10_000, weightOf), reads)
    })
  }
})
