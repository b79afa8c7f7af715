import { corePolicies } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Backend } from '../../../balancer-core/src/backends/backend.ts'
import { parsePolicy } from '../../../balancer-core/src/picking/policies/parse-policy.ts'
import { policies } from '../../src/index.ts'
import type { loadAwarePolicies } from '../../src/load-aware/load-aware-policies.ts'
import { listOf, seeded, Simulated } from '../load-aware/simulated.ts'
import { anyStep, Play, type Step } from './play.ts'

/** What differs between load-aware policies, for the contract. */
interface LoadAwareCase {
  /**
   * The longest time (ms) until a backend gets a request again that took `slow` ms once, while `clients` keep others busy
   * that take `fast` ms: worked out from the rule.
   */
  readonly recovery: (slow: number, fast: number, clients: number) => number
  /** By how much a share may differ from the exact rule in the steady state, as a part of it. */
  readonly tolerance: number
  /** From how many backends on a pick takes no longer with more of them. */
  readonly constantFrom: number
}

async function played(name: string, size: number, steps: readonly Step[]): Promise<void> {
  const play = new Play(name, size)
  for (const one of steps) await play.apply(one)
  play.finish()
}

function pickerOver(name: string, backends: readonly Backend[]) {
  const picker = parsePolicy(name, { ...corePolicies, ...policies }, [])
    .make(seeded(19))
    .over(backends)
  return { ...picker, take: () => picker.pick({ method: 'GET', url: '/', headers: {} }) }
}

const backendOf = (_: unknown, at: number) =>
  new Backend(`b${at}`, `http://b${at}.test`, { weight: 1, priority: 0, maxInFlight: 1, tags: [] }, {} as never)
const manyBackends = Array.from({ length: 10_000 }, backendOf)

/** How often anything of the first `count` backends is read by one pick. */
function readsOfOnePick(name: string, count: number): number {
  let reads = 0
  const counting: ProxyHandler<object> = {
    get(target, property) {
      reads++
      return Reflect.get(target, property, target) as unknown
    },
  }
  const backends = manyBackends.slice(0, count).map((backend) => new Proxy(backend, counting))
  const picker = pickerOver(name, new Proxy(backends, counting) as readonly Backend[])
  for (let turn = 0; turn < 100; turn++) picker.take()
  reads = 0
  picker.take()
  return reads
}

const answersIn = (after: number) => () => ({ after })

/** What every load-aware policy must do. */
function contract(name: string, { recovery, tolerance, constantFrom }: LoadAwareCase): void {
  describe(`load-aware policy ${name}`, () => {
    test('picks what explain says, always an available one, through any sequence of events', async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(1, 2, 5, 20), fc.array(anyStep, { maxLength: 40 }), (size, steps) =>
          played(name, size, steps),
        ),
        { seed: 20_260_131, numRuns: 60 },
      )
    })

    test('shares follow the weights while all take equally long', () => {
      const simulated = new Simulated(name, [
        { ...listOf('a')[0]!, weight: 3 },
        { ...listOf('b')[0]!, weight: 2 },
        { ...listOf('c')[0]!, weight: 1 },
      ])
      simulated.run(60, 500, answersIn(10))
      const { a = 0, b = 0, c = 0 } = simulated.run(60, 1000, answersIn(10))
      const sum = a + b + c
      for (const [count, share] of [
        [a, 3 / 6],
        [b, 2 / 6],
        [c, 1 / 6],
      ] as const)
        assert.ok(Math.abs(count / sum / share - 1) <= tolerance, `${a} : ${b} : ${c}`)
    })

    test('one request after the other is shared, too, by weights', () => {
      const simulated = new Simulated(name, [{ ...listOf('a')[0]!, weight: 3 }, listOf('b')[0]!])
      simulated.run(1, 200, answersIn(2))
      const { a = 0, b = 0 } = simulated.run(1, 8000, answersIn(2))
      // 4000 draws with probability 3/4: five standard deviations of 0.68 % each.
      assert.ok(Math.abs(a / (a + b) - 0.75) <= 0.035, `${a} : ${b}`)
    })

    test('prefers the faster ones by far', () => {
      const simulated = new Simulated(name, listOf('a', 'b', 'slow'))
      simulated.run(12, 1000, ({ id }) => ({ after: id === 'slow' ? 100 : 5 }))
      const { a = 0, b = 0, slow = 0 } = simulated.run(12, 2000, ({ id }) => ({ after: id === 'slow' ? 100 : 5 }))
      assert.ok(slow <= 0.02 * (a + b), `${a} : ${b} : ${slow}`)
    })

    test('avoids the slow ones of many', () => {
      const ids = Array.from({ length: 100 }, (_, at) => (at < 5 ? `slow${at}` : `b${at}`))
      const answers = ({ id }: Backend) => ({ after: id.startsWith('slow') ? 200 : 5 })
      const simulated = new Simulated(name, listOf(...ids))
      simulated.run(100, 250, answers)
      const counts = Object.entries(simulated.run(100, 250, answers))
      const all = counts.reduce((sum, [, count]) => sum + count, 0)
      const slow = counts.reduce((sum, [id, count]) => (id.startsWith('slow') ? sum + count : sum), 0)
      // By chance alone, it would be 5 %.
      assert.ok(slow <= 0.01 * all, `${slow} of ${all}`)
    })

    test('a backend that was slow once gets requests again within the bound', () => {
      const simulated = new Simulated(name, listOf('a', 'b', 'c'))
      simulated.run(6, 200, answersIn(5))
      let isSlow = true
      let last = 0
      let next = Infinity
      simulated.run(
        6,
        3000,
        ({ id }) => ({ after: id === 'c' && isSlow ? 2000 : 5 }),
        ({ id }, now) => {
          if (id === 'c') last = now
        },
      )
      isSlow = false
      const begun = simulated.clock.now()
      const bound = recovery(3000, 5, 6)
      simulated.run(6, bound, answersIn(5), ({ id }, now) => {
        next = now
        return id === 'c'
      })
      assert.ok(last > 0 && next - begun <= bound, `${next - begun} ms`)
    })

    test('an unused backend is tried again after one failure', () => {
      const simulated = new Simulated(name, listOf('a', 'b'))
      simulated.run(4, 200, answersIn(5))
      let failed = 0
      let next = Infinity
      simulated.run(4, 50, ({ id }) => ({ after: 5, status: id === 'b' && failed++ === 0 ? 500 : 200 }))
      const begun = simulated.clock.now()
      simulated.run(4, recovery(5000, 5, 4), answersIn(5), ({ id }, now) => {
        next = now
        return id === 'b'
      })
      assert.ok(failed > 0 && next - begun <= recovery(5000, 5, 4))
    })

    test('failing fast attracts nothing', () => {
      const simulated = new Simulated(name, listOf('a', 'b', 'bad'))
      const {
        a = 0,
        b = 0,
        bad = 0,
      } = simulated.run(9, 3000, ({ id }) => (id === 'bad' ? { after: 1, status: 503 } : { after: 10 }))
      assert.ok(bad <= 0.02 * (a + b), `${a} : ${b} : ${bad}`)
    })

    test('to refuse fast attracts no more than under least-requests, which knows no times', () => {
      const refused = (policy: string) => {
        const answerOf = ({ id }: Backend) => (id === 'bad' ? { after: 1, status: 404 } : { after: 10 })
        return new Simulated(policy, listOf('a', 'b', 'bad')).run(9, 3000, answerOf)['bad']!
      }
      const [own, otherwise] = [refused(name), refused('least-requests')]
      assert.ok(own <= 1.15 * otherwise, `${own} instead of ${otherwise}`)
    })

    test('a new backend under load gets one request, and its share once it has answered', async () => {
      const simulated = new Simulated(name, listOf('a', 'b'))
      simulated.run(10, 300, answersIn(5))
      await simulated.balancer.add(listOf('new')[0]!)
      const attempts = Array.from({ length: 9 }, () => simulated.ask())
      const first = attempts.filter(({ backend }) => backend.id === 'new')
      assert.equal(first.length, 1)
      simulated.clock.advance(5)
      for (const attempt of attempts) simulated.answer(attempt)
      const { a = 0, b = 0, new: fresh = 0 } = simulated.run(9, 600, answersIn(5))
      assert.ok(Math.abs((3 * fresh) / (a + b + fresh) - 1) <= tolerance, `${a} : ${b} : ${fresh}`)
    })

    test('what is known outlives changes of the set, and goes with the backend', async () => {
      const simulated = new Simulated(name, listOf('a', 'b'))
      simulated.run(4, 300, answersIn(7))
      const known = simulated.details('a')
      assert.equal(Math.round(known['responseTime'] as number), 7)
      await simulated.balancer.add(listOf('c')[0]!)
      simulated.balancer.veto(simulated.backend('a'), { by: 'test', reason: 'x' }).lift()
      assert.deepEqual(simulated.details('a'), known)
      await simulated.balancer.remove('a')
      await simulated.balancer.add(listOf('a')[0]!)
      assert.equal(simulated.details('a')['responseTime'], null)
    })

    test('a report of load steers requests away', () => {
      const simulated = new Simulated({ name, reports: true }, listOf('a', 'b'))
      const tell = (id: string) => ({
        'endpoint-load-metrics': `TEXT named_metrics.requests_in_flight=${id === 'a' ? 50 : 1}, named_metrics.latency_ms=5`,
      })
      const counts: Record<string, number> = { a: 0, b: 0 }
      for (let turn = 0; turn < 60; turn++) {
        const both = [simulated.ask(), simulated.ask()]
        simulated.clock.advance(5)
        for (const attempt of both) {
          if (turn >= 20) counts[attempt.backend.id]!++
          simulated.answer(attempt, 200, tell(attempt.backend.id))
        }
      }
      assert.ok(counts['a']! * 5 < counts['b']!, `${counts['a']} : ${counts['b']}`)
    })

    test('picks from 10 000 backends', () => {
      const { take, score, peek } = pickerOver(name, manyBackends)
      for (let turn = 0; turn < 10; turn++) {
        const expected = peek({ method: 'GET', url: '/', headers: {} })
        assert.ok(expected !== undefined && score!(expected!) === 0)
        assert.equal(take(), expected)
      }
    })

    test(`one pick reads no more from 10 000 than from ${constantFrom}`, () => {
      const reads = readsOfOnePick(name, constantFrom)
      assert.ok(reads <= 60, `${reads} reads`)
      assert.equal(readsOfOnePick(name, 10_000), reads)
    })
  })
}

/**
 * Until a backend is tried again that took `slow` ms: that counts in full for 1 s, and then fades by e every 5 s until it
 * costs no more than the others, of which the cheapest costs at least `fast` ms.
 */
const fading = (slow: number, fast: number) => 1000 + 5000 * Math.log(slow / fast) + 100

const cases: Readonly<Record<keyof typeof loadAwarePolicies, LoadAwareCase>> = {
  'peak-ewma': { recovery: fading, tolerance: 0.02, constantFrom: 20 },
  // What is in the pool is up to some picks old, so that shares are less even.
  prequal: { recovery: fading, tolerance: 0.1, constantFrom: 20 },
  c3: { recovery: fading, tolerance: 0.02, constantFrom: 40 },
  'least-time': {
    // Halved every 10 s.
    recovery: (slow, fast) => 10_000 * Math.ceil(Math.log2(slow / fast)) + 100,
    tolerance: 0.02,
    constantFrom: 40,
  },
}

for (const [name, one] of Object.entries(cases)) contract(name, one)
