import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PrefixChange, replacementFault } from '../../src/rewriting/prefix-change.ts'
import { referenceFor, type TwoViews } from '../../src/rewriting/own-addresses.ts'

function withoutSegments(path: string, count: number): string | undefined {
  return new PrefixChange('/x'.repeat(count), '/').apply(path, {}, false)
}

describe('a path without its first segments', () => {
  for (const [path, count, rest] of [
    ['/a', 0, '/a'],
    ['/a/b', 1, '/b'],
    ['/a', 1, '/'],
    ['/a/', 1, '/'],
    ['/a?b=c', 1, '/?b=c'],
    ['/a/?b=c', 1, '/?b=c'],
    ['/a?b=/c/d', 1, '/?b=/c/d'],
    ['/a/b?c=/d', 1, '/b?c=/d'],
    ['/a/b/c', 2, '/c'],
    ['/a/b', 2, '/'],
    ['/a/b?c', 2, '/?c'],
    ['/a/b/c/d/e', 3, '/d/e'],
    // However the prefix was written, and whatever follows: it is kept byte for byte.
    ['/%61/b%2fc', 1, '/b%2fc'],
    ['/a/b//c/', 1, '/b//c/'],
    ['/a//b', 1, '//b'],
    // Where the router overlooks repeated slashes, they are not segments.
    ['//a/b', 1, '/b'],
    ['//a//b/c', 2, '/c'],
  ] as const) {
    test(`${path} - ${count} = ${rest}`, () => assert.equal(withoutSegments(path, count), rest))
  }

  for (const [path, count] of [
    ['/a', 2],
    ['/a/b', 3],
    ['/a?b/c/d', 2],
  ] as const) {
    test(`${path} has not ${count}`, () => assert.equal(withoutSegments(path, count), undefined))
  }

  test('is what was put behind them', () => {
    const segments = ['a', 'b%2fc', '~', 'ä', 'a.b', ';x=y']
    const rests = ['/', '/x', '/x/', '/x/y?z=/w', '/?z', '//x', '/x//y']
    for (let count = 1; count <= segments.length; count++) {
      const prefix = segments
        .slice(0, count)
        .map((segment) => `/${segment}`)
        .join('')
      for (const rest of rests) assert.equal(withoutSegments(prefix + rest, count), rest)
      assert.equal(withoutSegments(prefix, count), '/')
      assert.equal(withoutSegments(`${prefix}?q`, count), '/?q')
      assert.equal(withoutSegments(prefix, count + 1), undefined)
    }
  })
})

describe('a prefix in place of another', () => {
  for (const [prefix, replacement, path, expected] of [
    ['/api', '/v1/internal', '/api/x?y=/api', '/v1/internal/x?y=/api'],
    ['/api', '/v1/internal', '/api', '/v1/internal'],
    ['/api', '/v1/internal', '/api/', '/v1/internal/'],
    ['/api', '/v1/internal/', '/api?q', '/v1/internal?q'],
    ['', '/v1', '/x', '/v1/x'],
    ['', '/v1', '/', '/v1/'],
    ['/api', '/v1', '/%61pi//x%2Fy', '/v1//x%2Fy'],
  ] as const)
    test(`${path}: ${prefix} -> ${replacement} = ${expected}`, () =>
      assert.equal(new PrefixChange(prefix, replacement).apply(path, {}, true), expected))

  const change = new PrefixChange('/:tenant/api/:version(\\d+)', '/t/:tenant/:version')

  test('takes over parameters byte for byte', () => {
    assert.equal(change.apply('/acme/api/2/x', { tenant: 'acme', version: '2' }, true), '/t/acme/2/x')
    assert.equal(change.apply('/%61c/api/2?q', { tenant: 'ac', version: '2' }, true), '/t/%61c/2?q')
    assert.equal(change.apply('/b%C3%BC/api/2', { tenant: 'bü', version: '2' }, true), '/t/b%C3%BC/2')
    assert.equal(change.apply('/%ff/api/2', { tenant: '%ff', version: '2' }, false), '/t/%ff/2')
  })

  test('is not built of segments that the router did not take for the parameters', () => {
    // The router saw an empty tenant, and `secret` below the prefix.
    assert.equal(change.apply('//api/2/api/3', { tenant: '', version: '2' }, false), undefined)
    assert.equal(change.apply('/acme/api', { tenant: 'acme' }, false), undefined)
    assert.equal(change.apply('/acme/api/2', { tenant: 'other', version: '2' }, false), undefined)
  })

  test('takes no parameter that a backend may read as something else', () => {
    for (const tenant of ['a/b', 'a\\b', 'a;b', 'a?b', 'a#b', '100%', '..', '.', 'a ', ' a', 'a.', 'a\0']) {
      const path = `/${encodeURIComponent(tenant).replaceAll('.', '%2e')}/api/2/x`
      assert.equal(change.apply(path, { tenant, version: '2' }, true), undefined, tenant)
    }
    for (const tenant of ['a%c0%afb', '%e0%80%ae', '%f0%80%80%af'])
      assert.equal(change.apply(`/${tenant}/api/2/x`, { tenant, version: '2' }, true), undefined, tenant)
    for (const tenant of ['caf%e9', 'a%20b.c', '%f0%9f%98%80', '%e0%a4%85']) {
      const params = { tenant: tenant === 'caf%e9' ? tenant : decodeURIComponent(tenant), version: '2' }
      assert.equal(change.apply(`/${tenant}/api/2/x`, params, true), `/t/${tenant}/2/x`)
    }
  })
})

describe('faults of a replacement', () => {
  for (const [prefix, replacement, fault] of [
    ['/:tenant/api', '/t/:tenant', undefined],
    ['/api', '/v1/a:b', "'a:b' must be a parameter alone, such as ':tenant'"],
    ['/api', '/:tenant', "':tenant' is no parameter of `prefix` that is a whole segment"],
    ['/:a-:b', '/:a', "':a' is no parameter of `prefix` that is a whole segment"],
  ] as const)
    test(`${prefix} -> ${replacement}`, () => assert.equal(replacementFault(prefix, replacement), fault))
})

/** The same numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 8) % below
  }
}

test('where a path leads that comes back, the backend gets what it meant', () => {
  const next = numbers(7)
  const names = ['a', 'b', 'v1', 'in', '%2F', 'x.y', '.', '..', '', ';p', '~']
  const path = () => Array.from({ length: 1 + next(4) }, () => `/${names[next(names.length)]}`).join('')
  let compared = 0
  for (let round = 0; round < 20_000; round++) {
    const prefix = ['', '/a', '/a/b'][next(3)]!
    const replacement = ['/', '/v1', '/v1/in', '/a'][next(4)]!
    const change = new PrefixChange(prefix, replacement)
    const base = ['', '/base'][next(2)]!
    const { outer, inner } = change.prefixesOf(`${prefix}/x`)
    const views: TwoViews = {
      outer,
      inner: base + inner,
      clientScheme: 'http',
      backendScheme: 'http',
      clientAuthorities: ['client'],
      backendAuthorities: ['backend:1'],
    }
    const meant = `${next(3) === 0 ? '' : base}${next(3) === 0 ? '' : inner}${path()}${['', '?q=/v1', '#f'][next(3)]}`
    const location = [meant, `http://backend:1${meant}`, `//backend:1${meant}`][next(3)]!
    // A path with two slashes would be the name of a server.
    if (location === meant && meant.startsWith('//')) continue
    const led = new URL(referenceFor(location, views), `http://client${outer}/x`)
    assert.equal(led.origin, 'http://client', `${location} became ${led.href}`)
    const { pathname, search, hash } = new URL(`http://backend:1${meant}`)
    const isBelow = pathname === views.inner || pathname.startsWith(`${views.inner}/`)
    if (!isBelow) continue
    compared++
    const sent = change.apply(led.pathname + led.search, {}, false)
    // Where clients have no prefix, there is no path for the prefix of backends without a slash.
    const bare = (text: string) => (outer === '' ? text.replace(/\/(?=\?|$)/, '') : text)
    assert.equal(
      bare(`${base}${sent}`),
      bare(`${pathname}${search}`),
      `${location}: ${prefix} -> ${base}${replacement}`,
    )
    assert.equal(led.hash, hash)
  }
  assert.ok(compared > 5000)
})
