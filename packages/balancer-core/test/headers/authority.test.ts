import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { areSameAuthority, hostFaultOf, isAuthority } from '../../src/headers/authority.ts'

describe('an authority', () => {
  for (const text of [
    ...[
      'a',
      'a.example',
      'A.Example',
      'a.example.',
      'a_b',
      'a-b',
      'xn--caf-dma.example',
      '127.0.0.1',
      '1',
      'a~b',
      'a%20b',
    ],
    ...[
      "a!$&'()*+,;=b",
      'a:',
      'a:0',
      'a:80',
      'a:65535',
      'a:00080',
      '[::1]',
      '[::1]:',
      '[::1]:8080',
      '[2001:db8::1]:443',
    ],
    ...['[::ffff:192.0.2.1]', '[v1.fe80::a+en1]', '[vF.x]:80'],
  ])
    test(text, () => assert.equal(isAuthority(text), true))
})

describe('no authority', () => {
  for (const text of [
    ...[
      '',
      ' ',
      'a b',
      ' a',
      'a\t',
      'user@a',
      'user:word@a',
      '@a',
      'a/../b?c',
      'a/',
      '/a',
      'a?b',
      'a#b',
      'a\\b',
      'a:b:c',
    ],
    ...[
      'http://a',
      'a:b',
      'a:80:80',
      'a:-1',
      'a:+80',
      'a:8o',
      'a:65536',
      'a:99999999999999999999',
      'a: 80',
      ':',
      ':80',
    ],
    ...['::1', '[::1', '::1]', '[]', '[]:80', '[a]', '[::1]a', '[::1]a:80', 'a[::1]', '[::1]:x', '[::g]', '[1::2::3]'],
    ...['[127.0.0.1]', '[fe80::1%eth0]', '[fe80::1%25eth0]', '[v.a]', '[vg.a]', '[v1.]', '[::1]]', '[[::1]]', '[::1 ]'],
    ...[
      'a%',
      'a%2',
      'a%zz',
      'a"b',
      'a<b',
      'a>b',
      'a^b',
      'a`b',
      'a{b',
      'a|b',
      'caf\u00e9',
      'a\u0000',
      'a,b c',
      'a]',
      '[a',
    ],
  ])
    test(JSON.stringify(text), () => assert.equal(isAuthority(text), false))
})

test('authorities are the same whatever their case, and with or without the port of the scheme', () => {
  const same = (one: string, other: string, scheme?: 'http' | 'https') =>
    [areSameAuthority(one, other, scheme), areSameAuthority(other, one, scheme)].every(Boolean)
  for (const other of ['a.example', 'A.EXAMPLE', 'a.example:80', 'A.example:', 'a.example:80'])
    assert.ok(same('a.example', other), other)
  assert.ok(same('a.example', 'a.example:443', 'https'))
  assert.ok(same('[::1]', '[::1]:80'))
  for (const other of ['b.example', 'a.example:81', 'a.example:443', 'a.example:8080', 'a.example.', 'xa.example', ''])
    assert.ok(!areSameAuthority('a.example', other) && !areSameAuthority(other, 'a.example'), other)
  assert.ok(!areSameAuthority('a.example', 'a.example:80', 'https'))
  assert.ok(!areSameAuthority('[::1]', '[::1:80]'))
})

test('what a request names', () => {
  assert.equal(hostFaultOf({}), undefined)
  assert.equal(hostFaultOf({ host: '' }), undefined)
  assert.equal(hostFaultOf({ host: 'a:80' }), undefined)
  assert.equal(hostFaultOf({ host: 'a b' }), 'malformed host')
  assert.equal(hostFaultOf({ ':authority': 'a' }), undefined)
  assert.equal(hostFaultOf({ ':authority': '' }), 'malformed :authority')
  assert.equal(hostFaultOf({ ':authority': 'user@a' }), 'malformed :authority')
  assert.equal(hostFaultOf({ ':authority': 'a', host: 'A' }), undefined)
  assert.equal(hostFaultOf({ ':authority': 'a', ':scheme': 'https', host: 'a:443' }), undefined)
  assert.equal(hostFaultOf({ ':authority': 'a', ':scheme': 'https', host: 'a:80' }), ':authority and host differ')
  assert.equal(hostFaultOf({ ':authority': 'a', host: 'b' }), ':authority and host differ')
  assert.equal(hostFaultOf({ ':authority': 'a', host: '' }), ':authority and host differ')
})
