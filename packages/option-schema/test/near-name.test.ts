import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearName } from '../src/index.ts'

test('the near name is one that is spelt otherwise, or misspelt, or what others call it', () => {
  const known = ['healthCheck', 'backends', 'timeouts', 'retry', 'queue', 'name']
  for (const [given, meant] of Object.entries({
    healthcheck: 'healthCheck',
    HEALTH_CHECK: 'healthCheck',
    'health-checks': 'healthCheck',
    helathCheck: 'healthCheck',
    backend: 'backends',
    upstream: 'backends',
    upstraem: 'backends',
    retires: 'retry',
    timeot: 'timeouts',
    quue: 'queue',
    nmae: 'name',
    nme: 'name',
  }))
    assert.equal(nearName(given, known), meant, given)
})

test('there is none for what is only short, or long, or of another kind', () => {
  for (const given of ['', 'x', 'nope', 'color', 'ab', 'x'.repeat(100_000), 'constructor', '__proto__'])
    assert.equal(nearName(given, ['name', 'id', 'url', 'retry', 'queue']), undefined, given.slice(0, 20))
})
