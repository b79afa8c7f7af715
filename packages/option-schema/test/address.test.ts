import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressIn, originOf, readAddress } from '../src/index.ts'

describe('an address', () => {
  for (const [text, url, origin, socketPath, base] of [
    ['10.0.0.1:3000', 'http://10.0.0.1:3000', 'http://10.0.0.1:3000', undefined, ''],
    ['http://A.test:80/', 'http://a.test', 'http://a.test', undefined, ''],
    ['http://a.test/base/', 'http://a.test/base', 'http://a.test', undefined, '/base'],
    ['a.test:3000/b/c%2Fd', 'http://a.test:3000/b/c%2Fd', 'http://a.test:3000', undefined, '/b/c%2Fd'],
    ['http://a.test/x/../b', 'http://a.test/b', 'http://a.test', undefined, '/b'],
    ['https://[::0:1]/b', 'https://[::1]/b', 'https://[::1]', undefined, '/b'],
    ['unix:/run/a.sock', 'unix:/run/a.sock', 'http://localhost', '/run/a.sock', ''],
    ['unix:/run/a.sock:', 'unix:/run/a.sock', 'http://localhost', '/run/a.sock', ''],
    ['unix:/run/a.sock:/', 'unix:/run/a.sock', 'http://localhost', '/run/a.sock', ''],
    ['unix:/run/a.sock:/base/', 'unix:/run/a.sock:/base', 'http://localhost', '/run/a.sock', '/base'],
    ['http://unix:/run/a.sock:/b', 'unix:/run/a.sock:/b', 'http://localhost', '/run/a.sock', '/b'],
    ['HTTPS://unix:/run/a.sock', 'https://unix:/run/a.sock', 'https://localhost', '/run/a.sock', ''],
    ['http://unix:3000', 'http://unix:3000', 'http://unix:3000', undefined, ''],
    ['unix:3000', 'http://unix:3000', 'http://unix:3000', undefined, ''],
  ] as const)
    test(text, () => {
      const read = readAddress(text)
      assert.deepEqual(read, { url, origin, socketPath, base })
      // As it is written, it is read again as the same.
      assert.deepEqual(addressIn(url), read)
    })

  for (const text of [
    'unix:',
    'unix:run/a.sock',
    'unix:/run/',
    'unix:/run/a\0.sock',
    `unix:/${'a'.repeat(107)}`,
    'unix:/run/a.sock:base',
    'unix:/run/a.sock?x',
    'unix:/run/a.sock:/base#x',
    'unix:/run/a.sock:/b//c',
    'http://a.test//b',
    'http://a.test/b//c',
    'http://a.test/b?q',
    'http://user:s3cret@a.test/b',
  ])
    test(`is not ${JSON.stringify(text)}`, () => {
      const read = readAddress(text)
      assert.ok('fault' in read)
      assert.doesNotMatch(read.fault, /s3cret/)
      assert.throws(() => addressIn(text), TypeError)
    })
})

test('an origin is an address without a path and without a socket', () => {
  assert.deepEqual(originOf('a.test:1'), { origin: 'http://a.test:1' })
  assert.ok('fault' in originOf('http://a.test/b'))
  assert.ok('fault' in originOf('unix:/run/a.sock'))
})
