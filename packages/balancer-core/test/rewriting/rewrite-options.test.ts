import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfOptions, type BalancerOptions } from '../../src/options.ts'

function faultsOf(rewrite: BalancerOptions['rewrite'], prefix = '/:tenant/api'): readonly string[] {
  return faultsOfOptions({ prefix, rewrite: rewrite! })
}

test('a prefix that no backend could get is refused', () => {
  const refused = ['', 'v1', '//v1', '/v1//x', '/../x', '/x/.', '/a?b', '/a#b', '/a*', '/a b', '/a\\b', '/%2', '/ä']
  for (const prefix of refused) {
    const [fault, ...others] = faultsOf({ prefix })
    assert.ok(fault?.startsWith('rewrite.prefix: expected a path such as'), `${prefix}: ${fault}`)
    assert.deepEqual(others, [])
  }
  for (const prefix of ['/', '/v1/', '/v1/:tenant', '/%C3%A4', '/.well-known/x..y/~a;b=c,d', '/...'])
    assert.deepEqual(faultsOf({ prefix }), [], prefix)
})

test('a prefix takes only parameters that there are', () => {
  assert.deepEqual(faultsOf({ prefix: '/:tenant/:other' }), [
    "rewrite.prefix: ':other' is no parameter of `prefix` that is a whole segment",
  ])
  assert.deepEqual(faultsOf({ prefix: '/t', stripPrefix: true }), [
    'rewrite.prefix: not together with rewrite.stripPrefix',
  ])
})

test('values that would break a cookie are refused', () => {
  assert.deepEqual(faultsOf({ cookies: { path: true, domain: 'example.com' } }), [])
  assert.deepEqual(
    faultsOf({ cookies: { path: { '/app': '/', '*': '' }, domain: { 'a.internal': '.b', '*': '' } } }),
    [],
  )
  for (const cookies of [
    { path: { '/app': 'x' } },
    { path: { '/app': '/x; Secure' } },
    { path: { '/app': '/x\r\ny: z' } },
    { path: '/x' as never },
    { path: false as never },
    { domain: 'a; Secure' },
    { domain: { a: 'b\r\n' } },
  ]) {
    const [fault, ...others] = faultsOf({ cookies })
    assert.ok(fault?.startsWith('rewrite.cookies.'), `${JSON.stringify(cookies)}: ${fault}`)
    assert.deepEqual(others, [])
  }
})
