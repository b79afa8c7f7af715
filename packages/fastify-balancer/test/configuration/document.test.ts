import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readDocument } from '../../src/configuration/document/document.ts'
import { lineOf } from '../../src/configuration/document/fault.ts'

/** The value, or every fault. */
function read(text: string): unknown {
  const { value, syntaxFaults, faults, placed } = readDocument('f', text)
  const all = [...syntaxFaults, ...faults.map(placed)]
  return all.length > 0 ? all.map(lineOf) : value
}

describe('YAML', () => {
  const values: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
    'lines that end as on Windows': ['a: 1\r\nb:\r\n  - c\r\n', { a: 1, b: ['c'] }],
    'what only YAML 1.1 takes for something else': [
      'a: [on, no, Yes, y, 12:30, 1_000, 2024-01-01, 0b1]',
      { a: ['on', 'no', 'Yes', 'y', '12:30', '1_000', '2024-01-01', '0b1'] },
    ],
    'numbers and the like': [
      'a: [1, -2.5, 1e3, 0x1F, 0o17, 0.5, true, null, ~]',
      { a: [1, -2.5, 1000, 31, 15, 0.5, true, null, null] },
    ],
    'names that are numbers': ['8080: a\ntrue: b', { '8080': 'a', true: 'b' }],
    aliases: ['a: &x { b: 1 }\nc: *x\nd: [*x]', { a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }] }],
    'an anchor that is set again': ['a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    'an alias within what is repeated, which means what it meant there': [
      'a: &y 1\nb: &x [*y]\nc: &y 2\nd: *x',
      { a: 1, b: [1], c: 2, d: [1] },
    ],
    'an anchor within what is repeated': [
      'a: &x { b: &y 1 }\nc: &y 2\nd: *x\ne: *y',
      { a: { b: 1 }, c: 2, d: { b: 1 }, e: 2 },
    ],
    'merge keys: what is there itself wins, then what is named first': [
      'a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc: { x: 3, <<: [*a, *b] }\nd: &d { <<: *a, y: 4 }\ne: { <<: *d }',
      { a: { x: 1, y: 1 }, b: { y: 2, z: 2 }, c: { x: 3, y: 1, z: 2 }, d: { y: 4, x: 1 }, e: { y: 4, x: 1 } },
    ],
    'a merge key in quotes, which is a name': ['"<<": 1', { '<<': 1 }],
    'names that objects have anyway': [
      '__proto__: 1\nconstructor: 2',
      JSON.parse('{ "__proto__": 1, "constructor": 2 }'),
    ],
    'texts of several lines': ['a: |\n  b\n  c\nd: >\n  e\n  f\n', { a: 'b\nc\n', d: 'e f\n' }],
  }
  for (const [name, [text, value]] of Object.entries(values))
    test(`has ${name}`, () => assert.deepEqual(read(text), value))

  test('is told its faults line by line', () => {
    assert.deepEqual(read('a: 1\na: 2\nb: 01\nc: *d\n'), [
      'f:2:1: a: `a` is given twice: it is in line 1, too',
      'f:3:4: b: some programs read numbers that begin with 0 as octal: remove the 0, or quote a text',
      'f:4:4: c: an alias, `*name`, of what no `&name` above names: write a text that begins with `*` in quotes',
    ])
    assert.deepEqual(read('a: "\\q"\nb: @x\n'), [
      'f:1:5: invalid escape sequence \\q',
      'f:2:4: a text that begins with this sign needs quotes',
    ])
  })
})

describe('small files that mean very much', () => {
  test('billions of repeated values are a fault', () => {
    const lines = Array.from({ length: 12 }, (_, index) =>
      index === 0
        ? `a0: &a0 [x, x, x, x, x, x, x, x, x, x]`
        : `a${index}: &a${index} [${`*a${index - 1}, `.repeat(10)}]`,
    )
    assert.match(String(read(lines.join('\n'))), /^f:5:\d+: a4\.\d+: aliases repeat more than 100000 values$/)
  })

  test('brackets without end are a fault', () => {
    assert.match(String(read('['.repeat(20_000))), /^f:1:\d+: brackets are nested too deeply$/)
  })

  test('20 000 names in one mapping take no quadratic time', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')
    const before = process.cpuUsage()
    assert.equal(Object.keys(read(text) as object).length, 20_000)
    const { user } = process.cpuUsage(before)
    // Linear takes 0.3 s here, quadratic 8 s.
    assert.ok(user < 4_000_000, `${user} µs`)
  })
})

test('every JSON document is read as JSON.parse reads it, however it is laid out', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom('', ' ', '  ', '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const given: unknown = JSON.parse(text)
      fc.pre(!/[:[,{]-?0(?:[,\]}]|$)/.test(JSON.stringify(value)) || !text.includes('-0'))
      assert.deepEqual(read(text), given)
    }),
  )
})
