import * as fc from 'fast-check'
import type { Policy } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { simulate, table, chart, type SimulationOptions } from '../../src/simulation/simulate.ts'

const unchecked = { healthCheck: false, circuitBreaker: false } as const
const constant = (mean: number) => ({ distribution: 'constant', mean }) as const

async function one(options: SimulationOptions) {
  const { runs } = await simulate({ warmUp: 0, ...options })
  return runs[0]!
}

const share = (run: Awaited<ReturnType<typeof one>>, id: string) =>
  run.backends.find((backend) => backend.id === id)!.share

describe('the same seed', () => {
  const scenario: SimulationOptions = {
    backends: [
      { count: 3, slots: 2, maxInFlight: 2, service: { distribution: 'lognormal', mean: 8 }, delay: 1 },
      { id: 'sick', slots: 2, failures: { share: 0.3 }, down: [{ from: 700, to: 1200 }] },
    ],
    arrivals: { rate: 600 },
    keys: { users: 50 },
    policies: ['p2c', 'random', 'least-requests'],
    balancer: { healthCheck: { interval: 200 }, retry: { statuses: [503] } },
    changes: [
      { at: 400, remove: 'backend-1-2' },
      { at: 800, add: { id: 'late', slots: 2 } },
      { at: 1300, change: 'late', weight: 3 },
    ],
    duration: 1600,
    warmUp: 200,
    seed: 7,
  }

  test('gives the same results, byte for byte, in whatever order policies come', async () => {
    const first = await simulate(scenario)
    const again = await simulate({ ...scenario, policies: scenario.policies!.toReversed() })
    assert.equal(JSON.stringify(again.runs.toReversed()), JSON.stringify(first.runs))
    assert.equal(table(await simulate(scenario)), table(first))
    assert.equal(chart(await simulate(scenario)), chart(first))
  })

  test('and another seed gives others; all policies get the same requests', async () => {
    const first = await simulate(scenario)
    const other = await simulate({ ...scenario, seed: 8 })
    assert.notEqual(other.runs[0]!.latency.mean, first.runs[0]!.latency.mean)
    assert.equal(new Set(first.runs.map(({ arrived }) => arrived)).size, 1)
  })
})

test('nothing is lost: whatever came was answered, failed, or is still there', async () => {
  const time = fc.integer({ min: 0, max: 1000 })
  const backend = fc.record({
    slots: fc.integer({ min: 1, max: 4 }),
    maxInFlight: fc.integer({ min: 1, max: 6 }),
    delay: fc.constantFrom(0, 2),
    down: fc.array(
      time.map((from) => ({ from, to: from + 100 })),
      { maxLength: 2 },
    ),
    slow: fc.array(
      time.map((from) => ({ from, to: from + 50, factor: 20, every: 300 })),
      { maxLength: 1 },
    ),
    failures: fc.constantFrom(undefined, { share: 0.5 }),
  })
  const scenarios = fc.record({
    backends: fc.array(backend, { minLength: 1, maxLength: 4 }),
    rate: fc.constantFrom(undefined, 100, 800),
    policy: fc.constantFrom('round-robin', 'weighted', 'random', 'p2c', 'least-requests'),
    retry: fc.constantFrom({ attempts: 0 }, { attempts: 2, statuses: [503] }),
    timeouts: fc.constantFrom({}, { queue: 20 }, { request: 30 }, { headers: 15 }),
    queue: fc.constantFrom({ max: 0 }, { max: 5 }, {}),
    checked: fc.boolean(),
    leaves: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ backends, rate, policy, checked, leaves, ...balancer }) => {
      const run = await one({
        backends: backends.map(({ failures, ...others }) => ({ ...others, ...(failures && { failures }) })),
        arrivals: rate === undefined ? { clients: 12 } : { rate },
        policy,
        balancer: { ...balancer, drainDeadline: 10, ...(!checked && unchecked) },
        changes: leaves && backends.length > 1 ? [{ at: 300, remove: 'backend-1' }] : [],
        duration: 1000,
      })
      assert.ok(run.arrived > 0)
      assert.equal(run.arrived, run.completed + run.failed + run.inFlight)
    }),
    { numRuns: 25 },
  )
})

test('probes are not counted among requests', async () => {
  const run = await one({
    backends: [{ slots: 1, slow: [{ from: 50, factor: 1e9 }] }],
    arrivals: { rate: 20, process: 'constant' },
    balancer: { healthCheck: { interval: 100, timeout: 10_000, jitter: 0 } },
    duration: 1000,
  })
  // Nothing ends after 50 ms, probes neither, one of which is under way.
  assert.deepEqual([run.arrived, run.completed, run.failed, run.inFlight], [20, 0, 0, 20])
})

describe('what the balancer does is what it does', () => {
  test('policies and weights', async () => {
    const run = await one({
      backends: [
        { id: 'a', weight: 3 },
        { id: 'b', weight: 1 },
      ],
      arrivals: { rate: 100, process: 'constant' },
      duration: 4000,
    })
    assert.deepEqual([share(run, 'a'), share(run, 'b')], [0.75, 0.25])
  })

  test('a policy of your own; a backend that it never picks starves', async () => {
    const policy: Policy = {
      name: 'first',
      over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
    }
    const run = await one({ backends: [{ count: 2 }], policy, arrivals: { rate: 10 }, duration: 2000, warmUp: 500 })
    assert.equal(run.policy, 'first')
    assert.deepEqual([share(run, 'backend-1-1'), share(run, 'backend-1-2'), run.starved], [1, 0, 1500])
  })

  test('the queue is bounded in length and time', async () => {
    const run = await one({
      backends: [{ slots: 1, maxInFlight: 1, service: constant(100) }],
      arrivals: { rate: 100, process: 'constant' },
      balancer: { ...unchecked, queue: { max: 3 }, timeouts: { queue: 150 } },
      duration: 1000,
    })
    // One at a time: ten a second, of which the last is not over; each waits less than 150 ms, as one of three at most.
    assert.equal(run.completed, 9)
    assert.deepEqual(Object.keys(run.errors), ['queue-full', 'queue-timeout'])
    assert.ok(run.latency.max <= 250, String(run.latency.max))
  })

  test('requests that reached nobody go elsewhere; those that may have are retried within the budget', async () => {
    const dead = { id: 'dead', down: [{ from: 0 }] }
    const elsewhere = await one({
      backends: [dead, { id: 'alive' }],
      arrivals: { rate: 100, process: 'constant' },
      balancer: { ...unchecked, retry: { budget: { ratio: 0, floor: 0 } } },
      duration: 2000,
    })
    // The second attempt takes the turn of the one that is alive.
    assert.deepEqual([elsewhere.failed, elsewhere.retriedShare], [0, 1])
    const broken = { id: 'broken', failures: { share: 1 } }
    const retried = await one({
      backends: [broken, { id: 'alive' }],
      arrivals: { rate: 100, process: 'constant' },
      balancer: { ...unchecked, retry: { statuses: [503], budget: { ratio: 0.1, floor: 0 } } },
      duration: 10_000,
    })
    // 100 of 1000 may be sent again, each of which takes the next one's turn; of the others, half meet the broken one.
    assert.ok(Math.abs(retried.retriedShare - 0.1) < 0.002, String(retried.retriedShare))
    assert.ok(Math.abs(retried.errorShare - 0.45) < 0.002, String(retried.errorShare))
  })

  test('active health checks take a dead backend out, and put it back', async () => {
    const options: SimulationOptions = {
      backends: [{ id: 'alive' }, { id: 'dies', down: [{ from: 2000, to: 8000 }] }],
      arrivals: { rate: 10, process: 'constant' },
      duration: 20_000,
    }
    const unaware = await one({ ...options, balancer: unchecked })
    assert.ok(Math.abs(unaware.retriedShare - 0.3) < 0.01, 'while it is dead, each is sent there first')
    const checks = { interval: 500, fall: 2, rise: 2, jitter: 0, outliers: false } as const
    const aware = await one({ ...options, balancer: { circuitBreaker: false, healthCheck: checks } })
    // It is out within 1 s, in which 10 requests come.
    assert.ok(aware.retriedShare > 0 && aware.retriedShare <= 10 / 200, String(aware.retriedShare))
    assert.ok(share(aware, 'dies') > 0.3, 'it is back')
  })

  test('one that is dead from the beginning is not asked for anything but its health', async () => {
    const run = await one({
      backends: [{ id: 'alive' }, { id: 'dead', down: [{ from: 0 }] }],
      arrivals: { rate: 50 },
      duration: 2000,
    })
    assert.deepEqual([share(run, 'dead'), run.retriedShare, run.starved < 1000], [0, 0, true])
  })

  test('a probe that only connects does not notice that a server is paused', async () => {
    const options = (type: 'http' | 'tcp'): SimulationOptions => ({
      backends: [{ id: 'alive' }, { id: 'stands', slow: [{ from: 0, factor: 1e9 }] }],
      arrivals: { rate: 20, process: 'constant' },
      balancer: {
        circuitBreaker: false,
        healthCheck: { type, interval: 500, timeout: 100, fall: 2, outliers: false },
        timeouts: { headers: 300 },
      },
      duration: 4000,
    })
    assert.equal(share(await one(options('http')), 'stands'), 0)
    assert.ok(share(await one(options('tcp')), 'stands') > 0.3)
  })

  test('a circuit opens after failures', async () => {
    const broken = { id: 'broken', failures: { share: 1, status: 500 } }
    const run = await one({
      backends: [broken, { id: 'alive' }],
      arrivals: { rate: 10, process: 'constant' },
      balancer: { healthCheck: false, circuitBreaker: { failures: 3, statuses: [500], openFor: 60_000 } },
      duration: 10_000,
    })
    assert.equal(run.errors['status 500'], 3)
  })

  test('one that leaves keeps its requests until the drain deadline', async () => {
    const options = (drainDeadline: number): SimulationOptions => ({
      backends: [{ id: 'leaves', service: constant(400) }, { id: 'stays' }],
      arrivals: { rate: 20, process: 'constant' },
      balancer: { ...unchecked, drainDeadline, retry: false },
      changes: [{ at: 1001, remove: 'leaves' }],
      duration: 3000,
    })
    const patient = await one(options(1000))
    assert.deepEqual(patient.errors, {})
    // Of those that began in the 400 ms before, every second is there, and those of the first 100 ms were in time.
    const impatient = await one(options(100))
    assert.deepEqual(impatient.errors, { 'drain-deadline': 3 })
  })

  test('newcomers get their share', async () => {
    const run = await one({
      backends: [{ id: 'first' }],
      arrivals: { rate: 100, process: 'constant' },
      changes: [
        { at: 1000, add: { id: 'second' } },
        { at: 2000, change: 'second', weight: 3 },
      ],
      duration: 3000,
      balancer: { healthCheck: { type: 'none' } },
    })
    // A half of the second second, and three quarters of the third.
    assert.ok(Math.abs(share(run, 'second') * 300 - 125) <= 1, String(share(run, 'second')))
  })
})

describe('keys that move when a backend leaves', () => {
  /** FNV-1a, and the finalizer of MurmurHash3. */
  function hashed(text: string): number {
    let hash = 0x811c9dc5
    for (const letter of Buffer.from(text)) hash = Math.imul(hash ^ letter, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0
  }
  const keyed = (name: string, score: (user: string, id: string, index: number, count: number) => number): Policy => ({
    name,
    over(available) {
      const pick = ({ headers }: { headers: Readonly<Record<string, string | string[] | undefined>> }) =>
        available
          .map((backend, index) => ({
            backend,
            score: score(String(headers['x-user']), backend.id, index, available.length),
          }))
          .reduce((best, other) => (other.score > best.score ? other : best)).backend
      return { pick, peek: pick }
    },
  })
  const options: SimulationOptions = {
    backends: [{ count: 10 }],
    arrivals: { rate: 50 },
    keys: { users: 200 },
    duration: 1000,
  }

  test('are those of the one that leaves with rendezvous hashing, and nearly all with a remainder', async () => {
    const rendezvous = await one({ ...options, policy: keyed('rendezvous', (user, id) => hashed(user + id)) })
    // Each leaves once, so each key moves once in ten.
    assert.equal(rendezvous.movedKeys, 0.1)
    const remainder = await one({
      ...options,
      policy: keyed('remainder', (user, _id, index, count) => (hashed(user) % count === index ? 1 : 0)),
    })
    assert.ok(remainder.movedKeys! > 0.85, String(remainder.movedKeys))
  })

  for (const policy of ['round-robin', 'weighted', 'random', 'p2c', 'least-requests'])
    test(`are not counted where there are none: ${policy}`, async () => {
      assert.equal((await one({ ...options, policy })).movedKeys, undefined)
    })

  test('the first users ask most often', async () => {
    const counts = new Map<string, number>()
    const policy = keyed('counting', (user, id) => {
      if (id === 'a') counts.set(user, (counts.get(user) ?? 0) + 1)
      return 1
    })
    const { arrived } = await one({
      backends: [{ id: 'a' }, { id: 'b' }],
      arrivals: { rate: 500 },
      keys: { users: 3, skew: 1 },
      policy,
      duration: 4000,
    })
    // 6, 3 and 2 of 11, each within four standard deviations; then each is asked about a few times to see keys that move.
    for (const [user, part] of [
      ['user-1', 6 / 11],
      ['user-2', 3 / 11],
      ['user-3', 2 / 11],
    ] as const) {
      const expected = arrived * part
      const off = Math.abs(counts.get(user)! - expected)
      assert.ok(off < 4 * Math.sqrt(expected * (1 - part)) + 10, `${user}: ${counts.get(user)} of ${arrived}`)
    }
  })
})

test('clients that are answered in no time, with errors, ask again after a pause: the simulation ends', async () => {
  const { arrived, failed, completed } = await one({
    backends: [{ failures: { share: 1, status: 503, after: 0 } }],
    arrivals: { clients: 3, think: 0 },
    balancer: unchecked,
    duration: 50,
  })
  // Each of them once a millisecond, from 0 to 50.
  assert.deepEqual([arrived, failed + completed], [153, 153])
})

test('changes that overlap: none undoes another', async () => {
  const { backends } = await one({
    backends: [{ id: 'a', delay: 5 }],
    arrivals: { rate: 1000, process: 'constant' },
    policy: 'round-robin',
    // Newcomers are probed first, which takes longer than the next change takes to come.
    balancer: { circuitBreaker: false, healthCheck: { interval: 10_000 } },
    changes: [
      { at: 10, add: { id: 'b', delay: 5 } },
      { at: 11, add: { id: 'c', delay: 5 } },
      { at: 12, change: 'a', weight: 2 },
    ],
    duration: 400,
  })
  assert.deepEqual(
    backends.map(({ id, attempts }) => [id, attempts > 50]),
    [
      ['a', true],
      ['b', true],
      ['c', true],
    ],
  )
})
