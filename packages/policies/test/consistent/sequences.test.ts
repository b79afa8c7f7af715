import type { Backend, Picker } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asking, backendsOf, names, policyOf } from './stage.ts'

/** What may happen between two requests. */
type Step =
  | { readonly do: 'pick'; readonly key: number; readonly asked: number }
  | { readonly do: 'end'; readonly index: number }
  | { readonly do: 'veto' | 'lift'; readonly index: number }
  | { readonly do: 'weigh'; readonly index: number; readonly weight: number }
  | { readonly do: 'warm'; readonly index: number; readonly part: number }
  | { readonly do: 'limit'; readonly index: number; readonly maxInFlight: number }
  | { readonly do: 'reverse' }

const index = fc.nat({ max: 7 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('pick' as const), key: fc.nat({ max: 5 }), asked: fc.nat({ max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('veto' as const, 'lift' as const), index }) },
  fc.record({ do: fc.constant('weigh' as const), index, weight: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant('warm' as const), index, part: fc.double({ min: 0.1, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant('limit' as const), index, maxInFlight: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('reverse' as const) }),
)

/** The slots of a backend, by Envoy's formula. */
function slotsOf(backend: Backend, available: readonly Backend[]): number {
  const inFlight = available.reduce((sum, one) => sum + one.inFlight, 0)
  const weights = available.reduce((sum, one) => sum + one.effectiveWeight, 0)
  return Math.max(1, Math.ceil((Math.floor(((inFlight + 1) * 125 + 99) / 100) * backend.effectiveWeight) / weights))
}

/** What must hold of each pick. */
function check(
  picked: Backend | null | undefined,
  picker: Picker,
  available: readonly Backend[],
  { key, asked }: { key: number; asked: number },
) {
  const request = asking(`key-${key}`)
  const withRoom = available.filter(({ inFlight, maxInFlight }) => inFlight < maxInFlight)
  const below = withRoom.filter((one) => one.inFlight < slotsOf(one, available))
  assert.equal(picked === undefined, asked >= withRoom.length)
  if (!picked) return
  assert.ok(withRoom.includes(picked))
  if (asked < below.length) assert.ok(below.includes(picked), 'below its bound')
  assert.equal(picker.pick(request, asked), picked)
  const earlier = Array.from({ length: asked }, (_, before) => picker.pick(request, before))
  if (asked < below.length) assert.ok(!earlier.includes(picked), 'each once')
  if (asked === 0) assert.equal(picker.peek(request), picked)
}

for (const name of names)
  test(`${name}: whatever happens, a pick is available, has room and keeps to its bound`, () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const [policy, twin] = [policyOf(name), policyOf(name)]
        const all = backendsOf(8, () => ({ maxInFlight: 5 }))
        let available: readonly Backend[] = all.slice(0, 4)
        let picker = policy.over(available)
        // Where a key goes depends on nothing but the set, the weights and the loads.
        for (const step of steps) {
          const backend = 'index' in step ? all[step.index]! : undefined
          if (step.do === 'pick') {
            const picked = picker.pick(asking(`key-${step.key}`), step.asked)
            check(picked, picker, available, step)
            const again = twin.over(available.toReversed()).pick(asking(`key-${step.key}`), step.asked)
            assert.equal(again, picked)
            if (picked) picked.inFlight++
            continue
          }
          if (step.do === 'end') backend!.inFlight = Math.max(0, backend!.inFlight - 1)
          else if (step.do === 'veto') available = available.filter((one) => one !== backend)
          else if (step.do === 'lift') available = [...available.filter((one) => one !== backend), backend!]
          else if (step.do === 'reverse') available = available.toReversed()
          else if (step.do === 'limit') backend!.maxInFlight = step.maxInFlight
          else if (step.do === 'warm') backend!.warm(step.part)
          else if (step.do === 'weigh') {
            backend!.weight = step.weight
            backend!.warm(1)
          }
          picker = policy.over(available)
        }
      }),
      { seed: 20_260_101, numRuns: name === 'rendezvous' ? 100 : 25 },
    )
  })
