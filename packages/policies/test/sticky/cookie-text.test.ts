import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { cookieValues, isCookie, withoutCookie } from '../../src/sticky/cookie-text.ts'

const cases: readonly [text: string, values: readonly string[], rest: string | undefined][] = [
  ['srv=a', ['a'], undefined],
  ['srv=a; b=c', ['a'], 'b=c'],
  ['b=c; srv=a', ['a'], 'b=c'],
  ['b=c;srv=a;d=e', ['a'], 'b=c; d=e'],
  ['b=c; srv=a; d=e; srv=f', ['a', 'f'], 'b=c; d=e'],
  ['srv=a=b', ['a=b'], undefined],
  ['  srv =  a ', ['a'], undefined],
  ['xsrv=a; srvx=b; b=srv=c; SRV=d', [], 'xsrv=a; srvx=b; b=srv=c; SRV=d'],
  ['srv', [], 'srv'],
  ['srv=', [''], undefined],
  [';;;srv=a;;', ['a'], undefined],
  ['', [], undefined],
]

for (const [text, values, rest] of cases)
  test(`'${text}'`, () => {
    assert.deepEqual(cookieValues(text, 'srv'), values)
    assert.equal(withoutCookie(text, 'srv'), rest)
  })

test('whatever is sent, nothing of the name is left, and the rest is in its order', () => {
  const pair = fc.oneof(
    fc.constantFrom('srv=1', 'srv=', ' srv = 2 ', 'srv'),
    fc.string({ maxLength: 8 }).map((text) => text.replaceAll(';', '')),
  )
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const rest = withoutCookie(pairs.join(';'), 'srv') ?? ''
      assert.deepEqual(cookieValues(rest, 'srv'), [])
      assert.deepEqual(
        rest.split('; ').filter((one) => one !== ''),
        pairs.map((one) => one.trim()).filter((one) => one !== '' && !isCookie(one, 'srv')),
      )
    }),
  )
})
