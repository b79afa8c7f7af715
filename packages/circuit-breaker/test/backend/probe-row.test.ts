import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProbeRow } from '../../src/backend/probe-row.ts'

test('of one that could not be reached, one good probe is enough the first time, and n the nth time', () => {
  assert.equal(new ProbeRow().add(true, 1, true), 'a probe succeeded')
  const row = new ProbeRow()
  assert.deepEqual(
    [1, 2, 3].map(() => row.add(true, 3, true)),
    [undefined, undefined, '3 probes in a row succeeded'],
  )
})

test('a bad one ends the row', () => {
  const row = new ProbeRow()
  assert.deepEqual(
    [true, false, true, true].map((good) => row.add(good, 2, true)),
    [undefined, undefined, undefined, '2 probes in a row succeeded'],
  )
})

test('of one that answered, it refutes nothing that a probe is good, unless another was bad before', () => {
  const row = new ProbeRow()
  assert.deepEqual(
    [true, true, false, true].map((good) => row.add(good, 1, false)),
    [undefined, undefined, undefined, 'a probe succeeded'],
  )
  row.reset()
  assert.equal(row.add(true, 1, false), undefined)
})
