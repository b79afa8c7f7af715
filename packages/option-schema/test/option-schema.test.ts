import { Type } from '@sinclair/typebox'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  code,
  faultsOf,
  hookFaults,
  hookList,
  milliseconds,
  readOptions,
  shownKind,
  strict,
  withDefaults,
} from '../src/index.ts'

const Options = Type.Object(
  {
    timeout: milliseconds('How long to wait', 1000),
    retry: Type.Object({ attempts: Type.Integer({ minimum: 0, default: 1 }) }, { ...strict, default: {} }),
    pause: Type.Optional(milliseconds('How long to rest', undefined, 10)),
    names: Type.Array(Type.String(), { default: [] }),
    clock: code<{ now(): number }>('Where time comes from'),
  },
  strict,
)

describe('defaults', () => {
  test('are filled in, however much is missing', () => {
    const defaults = { timeout: 1000, retry: { attempts: 1 }, names: [] }
    assert.deepEqual(withDefaults(Options, {}), defaults)
    assert.deepEqual(withDefaults(Options, undefined), undefined)
    assert.deepEqual(withDefaults(Options, { retry: {} }), defaults)
    assert.deepEqual(withDefaults(Options, { timeout: 5, retry: { attempts: 0 } }), {
      ...defaults,
      timeout: 5,
      retry: { attempts: 0 },
    })
  })

  test('are not written into what was given, nor shared', () => {
    const given = { retry: {}, names: ['a'] }
    const options = withDefaults(Options, given)
    assert.deepEqual(given, { retry: {}, names: ['a'] })
    options.names.push('b')
    options.retry.attempts = 7
    assert.deepEqual(given.names, ['a'])
    assert.deepEqual(withDefaults(Options, {}), { timeout: 1000, retry: { attempts: 1 }, names: [] })
  })

  test('leave objects with code as they are', () => {
    class Clock {
      now(): number {
        return 5
      }
    }
    const clock = new Clock()
    assert.equal(withDefaults(Options, { clock }).clock, clock)
  })
})

describe('faults', () => {
  test('are none where all is well', () => assert.deepEqual(faultsOf(Options, withDefaults(Options, {})), []))

  test('are all named, each once, with its place', () => {
    const given = withDefaults(Options, { timeuot: 5, timeout: -1, retry: { attempts: 1.5 }, names: ['a', 2] })
    assert.deepEqual(faultsOf(Options, given).toSorted(), [
      'names.1: expected a string, got 2',
      'retry.attempts: expected a whole number of at least 0, got 1.5',
      'timeout: expected a whole number from 0 to 2147483647 or false, got -1',
      'timeuot: unknown option (did you mean timeout?)',
    ])
  })

  test('stand where the value stands', () => {
    assert.deepEqual(faultsOf(Options, withDefaults(Options, { timeout: 'x' }), 'pool'), [
      "pool.timeout: expected a whole number from 0 to 2147483647 or false, got 'x'",
    ])
  })

  test('of what is no object at all have no place', () => {
    for (const given of [undefined, null, 5, 'x'])
      assert.deepEqual(faultsOf(Options, given), [`expected an object, got ${shownKind(given)}`])
  })

  test('of a choice name what there is to choose from', () => {
    const Choice = Type.Object({
      heed: Type.Union([Type.Literal('503'), Type.Literal('429-and-503'), Type.Literal(false)]),
      field: Type.Union([Type.String(), Type.Literal(false)]),
    })
    const faults = [
      "heed: expected '503', '429-and-503' or false, got true",
      'field: expected a string or false, got 7',
    ]
    assert.deepEqual(faultsOf(Choice, { heed: true, field: 7 }), faults)
  })

  test('of an object that may also be something else are those of the object, with its defaults', () => {
    const part = Type.Object({ share: Type.Number({ maximum: 1 }), delay: milliseconds('How long', 5) }, strict)
    const other = Type.Object({ name: Type.String() }, strict)
    const either = Type.Object({ a: Type.Union([part, Type.Literal(false)]), b: Type.Union([part, other]) }, strict)
    const wrong = { a: { share: 5 }, b: { share: 0, name: 'x' } }
    assert.deepEqual(faultsOf(either, wrong), [
      'a.share: expected a number of at most 1, got 5',
      'b: expected an object, got an object',
    ])
  })

  test('a duration is what a timer can hold', () => {
    assert.equal(faultsOf(Options, withDefaults(Options, { timeout: 2_147_483_647 })).length, 0)
    assert.equal(faultsOf(Options, withDefaults(Options, { timeout: 2_147_483_648 })).length, 1)
  })

  test('a duration that must be one is at least its minimum', () => {
    assert.deepEqual(faultsOf(Options, withDefaults(Options, { pause: 10 })), [])
    assert.deepEqual(faultsOf(Options, withDefaults(Options, { pause: 0 })), [
      'pause: expected a whole number from 10 to 2147483647, got 0',
    ])
  })
})

test('the description of a duration says its unit, and what 0 means where it may be 0', () => {
  const { timeout, pause } = Options.properties
  assert.equal(timeout.description, 'How long to wait (ms; 0 = none)')
  assert.equal(pause.description, 'How long to rest (ms)')
})

describe('reading', () => {
  const further = ({ names }: { names: readonly string[] }) => (names.includes('root') ? ['names: not that one'] : [])

  test('fills in defaults, and says what is wrong', () => {
    const read = (given: unknown) => readOptions(Options, given, further)
    assert.deepEqual(read({ timeout: 5 }), { options: withDefaults(Options, { timeout: 5 }), faults: [] })
    assert.deepEqual(read({ names: ['root'] }).faults, ['names: not that one'])
    assert.deepEqual(readOptions(Options, { names: ['root'] }).faults, [])
  })

  test('asks what no schema can say only where the schema is satisfied', () => {
    const { faults } = readOptions(Options, { names: 5 }, further as never)
    assert.deepEqual(faults, ['names: expected an array, got 5'])
  })
})

test('hooks are one, or several, or none', () => {
  const [one, other] = [() => {}, () => {}]
  assert.deepEqual([hookList(undefined), hookList(one), hookList([one, other])], [[], [one], [one, other]])
  for (const given of [undefined, one, [], [one, other]]) assert.deepEqual(hookFaults('onRequest', given), [])
  for (const given of ['x', null, [one, 5]])
    assert.match(
      hookFaults('onRequest', given).join(),
      /^onRequest: expected a function, or an array of functions, got /,
    )
})
