import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toFields, toFlat, type HeaderFields } from '../../src/headers/fields.ts'

test('pairs become fields by lower-case name; what occurs several times has an array', () => {
  const fields = toFields(['A', '1', 'Set-Cookie', 'a', 'b', '2', 'set-cookie', 'b', 'SET-COOKIE', 'c'])
  assert.deepEqual({ ...fields }, { a: '1', 'set-cookie': ['a', 'b', 'c'], b: '2' })
})

test('no name is taken for something that objects have', () => {
  const fields = toFields(['__proto__', 'a', 'constructor', 'b', 'toString', 'c', '__proto__', 'd'])
  assert.deepEqual(Object.entries(fields), [
    ['__proto__', ['a', 'd']],
    ['constructor', 'b'],
    ['tostring', 'c'],
  ])
  assert.equal(fields['hasownproperty'], undefined)
})

test('fields become pairs, in their order', () => {
  assert.deepEqual(toFlat({ b: '1', a: ['2', '3'], c: '' }), ['b', '1', 'a', '2', 'a', '3', 'c', ''])
  assert.deepEqual(toFlat({}), [])
})

test('a field that a hook has set to undefined is left out, also within an array', () => {
  const fields = { a: undefined, b: ['1', undefined, '2'], c: [] } as unknown as HeaderFields
  assert.deepEqual(toFlat(fields), ['b', '1', 'b', '2'])
})

test('there and back, nothing is lost', () => {
  const flat = ['a', '1', 'b', '2', 'b', '3', 'c', '']
  assert.deepEqual(toFlat(toFields(flat)), flat)
})
