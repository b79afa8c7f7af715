import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, test } from 'node:test'
import { RiseFall, type Health, type Pace } from '../../src/active/rise-fall.ts'

/** Feeds `+` and `-`; tells the state and the pace after each, as `u0` (up, interval), `d1` (down, on its way)… */
function told(machine: RiseFall, probes: string): string {
  const paces: Record<Pace, string> = { interval: '0', fastInterval: '1', downInterval: '2' }
  return probes
    .split('')
    .map((probe) => {
      const before = machine.state
      const changed = machine.observe(probe === '+')
      assert.equal(changed, machine.state !== before, 'it says whether it has changed')
      return `${machine.state[0]}${paces[machine.pace]}`
    })
    .join(' ')
}

const thresholds = { rise: 2, fall: 3 }

describe('from unknown', () => {
  test('one probe decides, either way', () => {
    assert.equal(told(new RiseFall(thresholds), '+'), 'u0')
    assert.equal(told(new RiseFall(thresholds), '-'), 'd2')
  })

  test('before it, nothing is known', () => {
    const machine = new RiseFall(thresholds)
    assert.deepEqual([machine.state, machine.consecutive, machine.pace], ['unknown', 0, 'interval'])
  })
})

describe('from up', () => {
  test('it takes `fall` bad ones in a row', () => {
    assert.equal(told(new RiseFall(thresholds, 'up'), '---'), 'u1 u1 d2')
  })

  test('a good one between them begins the count anew', () => {
    assert.equal(told(new RiseFall(thresholds, 'up'), '--+--+---'), 'u1 u1 u0 u1 u1 u0 u1 u1 d2')
  })

  test('good ones change nothing', () => {
    assert.equal(told(new RiseFall(thresholds, 'up'), '++++'), 'u0 u0 u0 u0')
  })
})

describe('from down', () => {
  test('it takes `rise` good ones in a row, once it has been up', () => {
    const machine = new RiseFall(thresholds, 'up')
    assert.equal(told(machine, '---++'), 'u1 u1 d2 d1 u0')
    assert.equal(told(machine, '---+-+-++'), 'u1 u1 d2 d1 d2 d1 d2 d1 u0')
  })

  test('one is enough for a backend that has never been up', () => {
    assert.equal(told(new RiseFall(thresholds, 'down'), '+'), 'u0')
    assert.equal(told(new RiseFall(thresholds, 'down'), '---+'), 'd2 d2 d2 u0')
    assert.equal(told(new RiseFall(thresholds), '--+'), 'd2 d2 u0')
    assert.equal(told(new RiseFall(thresholds), '-+---+'), 'd2 u0 u1 u1 d2 d1', 'but only the first time')
  })

  test('it begins to be asked at the interval for those that are down', () => {
    assert.equal(new RiseFall(thresholds, 'down').pace, 'downInterval')
  })
})

test('thresholds of 1 follow every probe', () => {
  assert.equal(told(new RiseFall({ rise: 1, fall: 1 }, 'up'), '-+--++'), 'd2 u0 d2 d2 u0 u0')
})

test('it counts those with the same answer', () => {
  const machine = new RiseFall(thresholds, 'up')
  const counts = '++---+'.split('').map((probe) => (machine.observe(probe === '+'), machine.consecutive))
  assert.deepEqual(counts, [1, 2, 1, 2, 3, 1])
})

/** The rule, said another way: by looking back over all probes so far. */
function expectedState(probes: readonly boolean[], initial: Health, rise: number, fall: number): Health {
  let state = initial
  let hasBeenUp = initial === 'up'
  for (let end = 1; end <= probes.length; end++) {
    const last = (count: number, good: boolean) =>
      end >= count && probes.slice(end - count, end).every((probe) => probe === good)
    if (state !== 'up' && last(state === 'down' && hasBeenUp ? rise : 1, true)) state = 'up'
    else if (state !== 'down' && last(state === 'unknown' ? 1 : fall, false)) state = 'down'
    hasBeenUp ||= state === 'up'
  }
  return state
}

const anyThreshold = fc.integer({ min: 1, max: 6 })
const anyInitial = fc.constantFrom<Health>('unknown', 'up', 'down')
const anyProbes = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 })

test('any sequence of probes has the state that the rule gives', () => {
  fc.assert(
    fc.property(anyThreshold, anyThreshold, anyInitial, anyProbes, (rise, fall, initial, probes) => {
      const machine = new RiseFall({ rise, fall }, initial)
      for (const [index, good] of probes.entries()) {
        machine.observe(good)
        assert.equal(machine.state, expectedState(probes.slice(0, index + 1), initial, rise, fall))
      }
    }),
  )
})

test('it never flips without `rise` or `fall` in a row, and hurries exactly while an answer contradicts its state', () => {
  fc.assert(
    fc.property(anyThreshold, anyThreshold, anyProbes, (rise, fall, probes) => {
      const machine = new RiseFall({ rise, fall }, 'up')
      let row = 0
      let before: boolean | undefined
      for (const good of probes) {
        row = good === before ? row + 1 : 1
        before = good
        if (machine.observe(good)) assert.ok(row >= (good ? rise : fall))
        const settled = machine.state === 'up' ? 'interval' : 'downInterval'
        assert.equal(machine.pace, good === (machine.state === 'up') ? settled : 'fastInterval')
      }
    }),
  )
})
