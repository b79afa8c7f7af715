import { Type } from '@sinclair/typebox'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownOptions } from '../src/index.ts'

class Own {
  readonly key = 'k'
}

test('data as it is; code by its name', () => {
  const given = {
    on: true,
    off: false,
    none: null,
    left: undefined,
    count: 7,
    text: 'plain',
    list: [1, { two: 2 }],
    // oxlint-disable-next-line func-names -- one without a name
    code: [function named() {}, () => {}, (() => function () {})()],
    pattern: /o[k]/i,
    own: new Own(),
    bytes: Buffer.from('x'),
  }
  assert.deepEqual(shownOptions(given), {
    on: true,
    off: false,
    none: null,
    count: 7,
    text: 'plain',
    list: [1, { two: 2 }],
    code: ['[function named]', '[function]', '[function]'],
    pattern: '/o[k]/i',
    own: '[Own]',
    bytes: '[Buffer]',
  })
})

test('what holds itself ends', () => {
  const given: Record<string, unknown> = { name: 'a' }
  given['self'] = given
  assert.deepEqual(shownOptions(given), { name: 'a', self: '[circular]' })
})

test('what the schema calls writeOnly is hidden: in lists, in unions, within parts', () => {
  const hidden = Type.String({ writeOnly: true })
  const schema = Type.Object({
    words: Type.Array(hidden),
    either: Type.Union([Type.Object({ pin: hidden }), Type.Literal(false)]),
    each: Type.Record(Type.String(), hidden),
    plain: Type.String(),
  })
  const given = { words: ['a', 'b'], either: { pin: 'c' }, each: { one: 'd' }, plain: 'e' }
  assert.deepEqual(shownOptions(given, { schema }), {
    words: ['(hidden)', '(hidden)'],
    either: { pin: '(hidden)' },
    each: { one: '(hidden)' },
    plain: 'e',
  })
})

test('what is at a hidden place is hidden, but not the names of its parts', () => {
  const given = { headers: { authorization: 'a', list: ['b', 7], set: true }, host: 'h' }
  assert.deepEqual(shownOptions(given, { hidden: ['headers'] }), {
    headers: { authorization: '(hidden)', list: ['(hidden)', '(hidden)'], set: true },
    host: 'h',
  })
})

test('of TLS only what cannot be a key; of URLs neither names nor queries', () => {
  const tls = { key: 'k', cert: ['c'], passphrase: 'p', pfx: Buffer.from('x'), ca: 'a', ticketKeys: 't', caFile: '/f' }
  const given = { pool: { tls }, url: 'https://ann:pw@h/p?token=t', path: '/health?token=t', my_password: 'p' }
  assert.deepEqual(shownOptions(given), {
    pool: {
      tls: {
        key: '(hidden)',
        cert: ['(hidden)'],
        passphrase: '(hidden)',
        pfx: '(hidden)',
        ca: '(hidden)',
        ticketKeys: '(hidden)',
        caFile: '/f',
      },
    },
    url: 'https://…@h/p?…',
    path: '/health?…',
    my_password: '(hidden)',
  })
})
