import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { withDefaults } from '@fastify-balancer/option-schema'
import { OutlierOptions } from '../../../src/passive/rules/outlier-options.ts'
import { EjectTime } from '../../../src/passive/observed/eject-time.ts'

function optionsOf(given: object): OutlierOptions {
  return withDefaults(OutlierOptions, given)
}

function spans(count: number, given: object, random = () => 0): number[] {
  const ejectTime = new EjectTime()
  return Array.from({ length: count }, () => ejectTime.next(optionsOf(given), random))
}

test('the time grows with the count, up to the cap', () => {
  assert.deepEqual(spans(4, {}), [30_000, 60_000, 90_000, 120_000])
  assert.deepEqual(spans(5, { ejectFor: 10, maxEjectFor: 35 }), [10, 20, 30, 35, 35])
  assert.equal(spans(12, {}).at(-1), 300_000)
})

test('a cap below the base time is no cap to it', () => {
  assert.deepEqual(spans(3, { ejectFor: 100, maxEjectFor: 40 }), [100, 100, 100])
})

test('chance adds up to its share, also to the cap', () => {
  assert.deepEqual(
    spans(3, { ejectFor: 100, maxEjectFor: 200, jitter: 0.5 }, () => 0.5),
    [125, 250, 250],
  )
  assert.deepEqual(
    spans(2, { ejectFor: 100, jitter: 0 }, () => 0.999),
    [100, 200],
  )
})

test('the count falls by one, and not below 0', () => {
  const ejectTime = new EjectTime()
  const next = () => ejectTime.next(optionsOf({ ejectFor: 10, jitter: 0 }), () => 0)
  ejectTime.forgive()
  assert.deepEqual([next(), next(), next()], [10, 20, 30])
  ejectTime.forgive()
  ejectTime.forgive()
  assert.equal(next(), 20)
  for (let index = 0; index < 9; index++) ejectTime.forgive()
  assert.equal(ejectTime.times, 0)
  assert.equal(next(), 10)
})

test('every time lies within its bounds', () => {
  const anySpan = fc.integer({ min: 1, max: 2_147_483_647 })
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(
      anySpan,
      anySpan,
      anyRandom,
      fc.array(fc.tuple(fc.boolean(), anyRandom)),
      (base, cap, jitter, steps) => {
        const options = optionsOf({ ejectFor: base, maxEjectFor: cap, jitter })
        const ejectTime = new EjectTime()
        let times = 0
        for (const [isOffence, random] of steps) {
          if (!isOffence) {
            ejectTime.forgive()
            times = Math.max(times - 1, 0)
            continue
          }
          const span = ejectTime.next(options, () => random)
          const plain = Math.min(base * ++times, Math.max(cap, base))
          assert.ok(span >= Math.floor(plain) && span <= Math.ceil(plain * (1 + jitter)))
          assert.equal(ejectTime.times, times)
        }
      },
    ),
  )
})
