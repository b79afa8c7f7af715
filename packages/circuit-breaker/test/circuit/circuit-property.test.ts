import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pair, type Figures, type Step } from './circuit-model.ts'

/** Always the same, so that what fails on one machine fails on all. */
const runs = { seed: 20_260_301, numRuns: 5000 }

const figures: fc.Arbitrary<Figures> = fc.record({
  failures: fc.integer({ min: 1, max: 4 }),
  window: fc.constantFrom(0, 5, 20),
  openFor: fc.integer({ min: 1, max: 30 }),
  growth: fc.constantFrom(1, 1.5, 2, 10),
  maxOpenFor: fc.integer({ min: 30, max: 100 }),
  jitter: fc.constantFrom(0, 0.1, 0.5),
  trials: fc.integer({ min: 1, max: 3 }),
  needed: fc.integer({ min: 1, max: 3 }),
  trialTimeout: fc.constantFrom(0, 1, 15),
})

const pick = fc.nat({ max: 1000 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: 'begin' }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'begin uploading' }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('uploaded' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('succeed' as const), pick }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('fail' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('withdraw' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      state: fc.constantFrom('open' as const, 'closed' as const),
      ttl: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), pick }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'release all' }) },
)

const draws = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))

test('whatever happens, a circuit does as its model does, and is closed again in the end', () => {
  fc.assert(
    fc.property(figures, draws, fc.array(step, { maxLength: 80, size: 'max' }), (given, random, steps) => {
      const pair = new Pair(given, () => random.next().value!)
      for (const one of steps) pair.do(one)
      pair.recover()
    }),
    runs,
  )
})

test('the model sees every state, so that the above means something', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      figures,
      draws,
      fc.array(step, { minLength: 40, maxLength: 80, size: 'max' }),
      (given, random, steps) => {
        const pair = new Pair(given, () => random.next().value!)
        for (const one of steps) {
          pair.do(one)
          seen.add(pair.seen)
        }
      },
    ),
    runs,
  )
  assert.deepEqual([...seen].sort(), [
    'closed',
    'closed, held',
    'half-open',
    'half-open, full',
    'half-open, given on',
    'isolated',
    'open',
  ])
})
