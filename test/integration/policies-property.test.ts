import {
  Balancer,
  corePolicies,
  type Backend,
  type BalancerOptions,
  type PolicyName,
  type Veto,
} from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

const names = Object.keys(corePolicies) as (keyof typeof corePolicies)[]

// The same cases each time, so that nobody's change fails for somebody else's mistake.
const runs = { seed: 20_260_101, numRuns: 150 }

const opened: Balancer[] = []
after(async () => {
  await Promise.all(opened.map((balancer) => balancer.close()))
})

function balancing(options: BalancerOptions): Balancer {
  const balancer = new Balancer(options)
  opened.push(balancer)
  return balancer
}

function listed(weights: readonly number[]) {
  return weights.map((weight, index) => ({ url: `http://b${index}.test`, id: `b${index}`, weight, maxInFlight: 4 }))
}

function pick(balancer: Balancer): Backend | undefined {
  const exchange = { method: 'GET', url: '/', headers: {}, attempts: [] }
  const attempt = balancer.pick(exchange as unknown as Parameters<Balancer['pick']>[0])
  return typeof attempt === 'object' ? attempt.backend : undefined
}

/** The same numbers for one seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Divides 0 to 1 into equal parts, and visits the middle of each once a round; p2c's first draw decides among equals. */
function evenly(policy: PolicyName, parts: number): () => number {
  let drawn = 0
  const even = () => ((drawn++ % parts) + 0.5) / parts
  const other = seeded(1)
  let turn = 0
  return policy === 'p2c' ? () => (turn++ % 2 === 0 ? even() : other()) : even
}

function countsOf(balancer: Balancer, count: number): number[] {
  const counts = balancer.backends.map(() => 0)
  for (let index = 0; index < count; index++) {
    const backend = pick(balancer)
    assert.ok(backend !== undefined)
    counts[balancer.backends.indexOf(backend)]! += 1
  }
  return counts
}

/** What may happen to a balancer between two requests. */
type Step =
  | { readonly do: 'pick'; readonly times: number }
  | { readonly do: 'veto'; readonly index: number; readonly hard: boolean }
  | { readonly do: 'lift'; readonly index: number }
  | { readonly do: 'load'; readonly index: number; readonly inFlight: number }
  | { readonly do: 'add'; readonly weight: number }
  | { readonly do: 'remove'; readonly index: number }
  | { readonly do: 'reweigh'; readonly index: number; readonly weight: number }

const anyIndex = fc.nat({ max: 50 })
const anyWeight = fc.integer({ min: 1, max: 9 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pick' as const), times: fc.integer({ min: 1, max: 6 }) }) },
  fc.record({ do: fc.constant('veto' as const), index: anyIndex, hard: fc.boolean() }),
  fc.record({ do: fc.constant('lift' as const), index: anyIndex }),
  fc.record({ do: fc.constant('load' as const), index: anyIndex, inFlight: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('add' as const), weight: anyWeight }),
  fc.record({ do: fc.constant('remove' as const), index: anyIndex }),
  fc.record({ do: fc.constant('reweigh' as const), index: anyIndex, weight: anyWeight }),
)

/** Takes the steps; whatever is to be picked is picked by `pickOne`. */
async function walk(balancer: Balancer, steps: readonly Step[], pickOne: (balancer: Balancer) => void): Promise<void> {
  const vetoes: Veto[] = []
  let added = 0
  // oxlint-disable no-await-in-loop -- each step builds on the one before
  for (const step of steps) {
    const { backends } = balancer
    const backend = 'index' in step ? backends[step.index % Math.max(backends.length, 1)] : undefined
    if (step.do === 'pick') for (let time = 0; time < step.times; time++) pickOne(balancer)
    else if (step.do === 'add') {
      await balancer.add({ url: `http://n${added}.test`, id: `n${added++}`, weight: step.weight, maxInFlight: 4 })
    } else if (step.do === 'lift') vetoes.splice(step.index % Math.max(vetoes.length, 1), 1)[0]?.lift()
    else if (backend === undefined) continue
    else if (step.do === 'veto') vetoes.push(balancer.veto(backend, { by: 'test', reason: 'any', hard: step.hard }))
    else if (step.do === 'load') backend.inFlight = step.inFlight
    else if (step.do === 'reweigh') await balancer.update(backend.id, { weight: step.weight })
    else {
      backend.inFlight = 0
      await balancer.remove(backend.id, { force: true })
    }
  }
  // oxlint-enable no-await-in-loop
  for (const backend of balancer.backends) backend.inFlight = 0
}

const anyWeights = fc.array(anyWeight, { maxLength: 6 })
const anySteps = fc.array(anyStep, { maxLength: 60 })

for (const policy of names) {
  describe(`${policy}, whatever happens`, () => {
    test('picks only what is available and has room, and something if anything is and has', async () => {
      await fc.assert(
        fc.asyncProperty(anyWeights, anySteps, fc.nat(), async (weights, steps, seed) => {
          const balancer = balancing({ backends: listed(weights), policy, random: seeded(seed) })
          await walk(balancer, steps, ({ set }) => {
            const backend = pick(balancer)
            const isPossible = set.available.some(({ inFlight, maxInFlight }) => inFlight < maxInFlight)
            assert.equal(backend !== undefined, isPossible)
            if (backend === undefined) return
            assert.ok(backend.inFlight < backend.maxInFlight)
            assert.ok(set.available.includes(backend))
            assert.ok(!backend.vetoes.some(({ hard }) => hard))
            if (backend.vetoes.length > 0) assert.ok(set.panicking)
          })
        }),
        runs,
      )
    })

    test('picks whom explain names, and the same when nobody asks', async () => {
      await fc.assert(
        fc.asyncProperty(anyWeights, anySteps, fc.nat(), async (weights, steps, seed) => {
          const [asked, unasked] = [
            balancing({ backends: listed(weights), policy, random: seeded(seed) }),
            balancing({ backends: listed(weights), policy, random: seeded(seed) }),
          ]
          const picked: (string | null)[] = []
          await walk(asked, steps, (balancer) => {
            const said = balancer.explain().picked
            assert.equal(balancer.explain().picked, said)
            picked.push(pick(balancer)?.id ?? null)
            assert.equal(picked.at(-1), said)
          })
          const again: (string | null)[] = []
          await walk(unasked, steps, (balancer) => void again.push(pick(balancer)?.id ?? null))
          assert.deepEqual(again, picked)
        }),
        runs,
      )
    })
  })

  test(`${policy} gives a newcomer its share, whenever it comes`, async () => {
    // By credit, those that were ahead when it came may be one turn behind, or the other way round.
    const slack = policy === 'weighted' || policy === 'least-requests' ? 1 : 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 30 }), async (size, before) => {
        const backends = listed(Array.from({ length: size }, () => 1))
        const balancer = balancing({ backends, policy, random: evenly(policy, size + 1) })
        for (let count = 0; count < before; count++) pick(balancer)
        await balancer.add({ url: 'http://new.test', id: 'new' })
        const counts = countsOf(balancer, 20 * (size + 1))
        for (const count of counts) assert.ok(Math.abs(count - 20) <= slack, counts.join(' '))
      }),
      runs,
    )
  })

  test(`${policy} gives each exactly its weight in every round, with any weights`, () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const equal = weights.every((weight) => weight === weights[0])
        const random = evenly(policy, equal ? weights.length : total)
        const balancer = balancing({ backends: listed(weights), policy, random })
        for (let round = 0; round < 3; round++) assert.deepEqual(countsOf(balancer, total), weights)
      }),
      runs,
    )
  })
}

for (const policy of ['round-robin', 'weighted', 'least-requests'] as const) {
  test(`${policy} spreads turns: with any weights, nobody is ever a whole turn away from what is due`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 400 }),
        (weights, picks) => {
          const balancer = balancing({ backends: listed(weights), policy })
          const total = weights.reduce((sum, weight) => sum + weight, 0)
          for (const [index, count] of countsOf(balancer, picks).entries()) {
            const due = (picks * weights[index]!) / total
            assert.ok(Math.abs(count - due) < 1, `${count} of ${due}`)
          }
        },
      ),
      runs,
    )
  })
}

const anyScale = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(99, 400, 800, 60_000, 65_535))
const anyRescaling = fc.oneof(
  anyStep.filter(({ do: what }) => what !== 'load' && what !== 'reweigh'),
  fc.record({ do: fc.constant('reweigh' as const), index: anyIndex, weight: anyScale }),
  fc.record({ do: fc.constant('pick' as const), times: fc.constantFrom(50, 100, 400) }),
)

for (const policy of ['round-robin', 'weighted', 'least-requests'] as const) {
  test(`${policy}: whatever has happened to weights and backends, from then on each gets what is due by the weights of now`, async () => {
    const changes = fc.array(anyRescaling, { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(fc.array(anyScale, { minLength: 1, maxLength: 6 }), changes, async (weights, steps) => {
        const balancer = balancing({ backends: listed(weights), policy })
        await walk(balancer, steps, pick)
        const { available } = balancer.set
        if (available.length === 0) return
        const total = available.reduce((sum, { weight }) => sum + weight, 0)
        const counts = new Map(available.map((backend) => [backend, 0]))
        for (let picks = 1; picks <= Math.min(total, 300); picks++) {
          const picked = pick(balancer)!
          counts.set(picked, counts.get(picked)! + 1)
          // One turn for what it was owed, and one for the round that has begun.
          for (const [backend, count] of counts) assert.ok(Math.abs(count - (picks * backend.weight) / total) < 2)
        }
      }),
      runs,
    )
  })
}

test('round-robin picks nobody twice before it has picked everybody, as long as nothing changes', async () => {
  const steps = fc.array(
    anyStep.filter(({ do: what }) => what === 'pick' || what === 'veto' || what === 'lift' || what === 'remove'),
    { maxLength: 80 },
  )
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), steps, async (size, changes) => {
      const balancer = balancing({ backends: listed(Array.from({ length: size }, () => 1)) })
      let since: unknown
      let run: (Backend | undefined)[] = []
      await walk(balancer, changes, ({ set }) => {
        if (set !== since) run = []
        since = set
        run.push(pick(balancer))
        const round = run.slice(-Math.max(set.available.length, 1))
        assert.equal(new Set(round).size, round.length)
      })
    }),
    runs,
  )
})

test('the heaviest of all is never picked by p2c, and only the lightest by least-requests', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat({ max: 99 }), { minLength: 2, maxLength: 8 }),
      fc.nat(),
      fc.constantFrom('p2c', 'least-requests'),
      (loads, seed, policy) => {
        const backends = listed(loads.map(() => 1)).map((backend) => ({ ...backend, maxInFlight: 100 }))
        const balancer = balancing({ backends, policy, random: seeded(seed) })
        for (const [index, backend] of balancer.backends.entries()) backend.inFlight = loads[index]!
        const heaviest = balancer.backends[loads.indexOf(Math.max(...loads))]
        const lightest = balancer.backends[loads.indexOf(Math.min(...loads))]
        for (let count = 0; count < 30; count++) {
          const picked = pick(balancer)
          assert.notEqual(picked, heaviest)
          if (policy === 'least-requests') assert.equal(picked, lightest)
        }
        for (const backend of balancer.backends) backend.inFlight = 0
      },
    ),
    runs,
  )
})
