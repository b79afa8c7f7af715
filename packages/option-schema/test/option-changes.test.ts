import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionChanges } from '../src/index.ts'

test('what may be secret is hidden at any depth, also where a whole object comes or goes', () => {
  const own = () => {}
  const sticky = { name: 'sticky', secret: ['swordfish'], policy: { name: 'inner', secret: ['swordfish'] } }
  for (const [before, after] of [
    [{ policy: { secret: ['a'] } }, { policy: { secret: ['swordfish'] } }],
    [{ policy: { policy: { policy: { secret: 'a' } } } }, { policy: { policy: { policy: { secret: 'swordfish' } } } }],
    [{ policy: own }, { policy: sticky }],
    [{ policy: { policy: own } }, { policy: { policy: sticky } }],
    [{ list: ['a'] }, { list: [sticky] }],
    [{}, { policy: sticky }],
  ]) {
    const changes = JSON.stringify([
      optionChanges(before, after, ['*.secret']),
      optionChanges(after, before, ['*.secret']),
    ])
    assert.ok(!changes.includes('swordfish') && changes.includes('(hidden)'), changes)
  }
})

test('a name alone is at any depth, a path is one place', () => {
  const changes = optionChanges({ tls: 1, pool: { tls: 1 } }, { tls: 2, pool: { tls: 2 } }, ['pool.tls'])
  assert.deepEqual(changes, [
    { option: 'tls', from: 1, to: 2 },
    { option: 'pool.tls', from: '(hidden)', to: '(hidden)' },
  ])
})
