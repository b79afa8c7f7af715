import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consecutive } from '../../../src/passive/observed/consecutive.ts'

const all = { failures: 5, gateway: 5, unreached: 3 }

/** A number is the status of a response, `broken` a failure after a byte was sent, `unreached` one before. */
function counting(...ends: (number | 'broken' | 'unreached' | 'ok')[]): Consecutive {
  const consecutive = new Consecutive()
  for (const end of ends) {
    if (end === 'ok') consecutive.reset()
    else consecutive.fail(typeof end === 'number' ? end : 0, end !== 'unreached')
  }
  return consecutive
}

const rows: [...Parameters<typeof counting>][] = []
const counts: [number, number, number][] = []
function row(ends: Parameters<typeof counting>, ...expected: [failures: number, gateway: number, unreached: number]) {
  rows.push(ends)
  counts.push(expected)
}
row([], 0, 0, 0)
row([500, 599, 501], 3, 0, 0)
row([502, 503, 504], 3, 3, 0)
row([502, 505], 2, 0, 0)
row([502, 501, 504], 3, 1, 0)
row([503, 'broken'], 2, 0, 0)
row(['unreached', 'unreached'], 2, 0, 2)
row(['unreached', 'broken', 'unreached'], 3, 0, 1)
row(['unreached', 500], 2, 0, 0)
row(['unreached', 502, 'unreached'], 3, 0, 1)
row([502, 'unreached', 'ok'], 0, 0, 0)
row([502, 'ok', 502], 1, 1, 0)

for (const [index, ends] of rows.entries()) {
  test(`in a row: ${ends.join(' ') || 'nothing'}`, () => {
    const { failures, gateway, unreached } = counting(...ends)
    assert.deepEqual([failures, gateway, unreached], counts[index])
  })
}

test('a limit is reached at its number, not before', () => {
  assert.equal(counting(500, 500, 500, 500).reached(all), undefined)
  assert.equal(counting(500, 500, 500, 500, 500).reached(all), 'failures')
  assert.equal(counting(500, 500, 500, 500, 500, 500).reached(all), 'failures')
  assert.equal(counting(502, 503, 504, 502).reached(all), undefined)
  assert.equal(counting('unreached', 'unreached').reached(all), undefined)
})

test('of several limits the most telling one is named', () => {
  assert.equal(counting(502, 502, 502, 502, 502).reached(all), 'gateway')
  assert.equal(counting(500, 500, 'unreached', 'unreached', 'unreached').reached(all), 'unreached')
})

test('a limit of 0 is off', () => {
  const many = Array.from({ length: 50 }, () => 'unreached' as const)
  assert.equal(counting(...many).reached({ failures: 0, gateway: 0, unreached: 0 }), undefined)
  assert.equal(counting(...many).reached({ failures: 5, gateway: 0, unreached: 0 }), 'failures')
  assert.equal(counting(502, 502, 502, 502, 502).reached({ failures: 5, gateway: 0, unreached: 0 }), 'failures')
})
