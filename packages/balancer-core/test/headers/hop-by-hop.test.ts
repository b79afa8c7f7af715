import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHopByHop, nominated } from '../../src/headers/hop-by-hop.ts'

test('these fields never cross, in whatever case', () => {
  for (const name of [
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
  ]) {
    assert.equal(isHopByHop(name), true, name)
    assert.equal(isHopByHop(name.toUpperCase()), true, name)
    assert.equal(isHopByHop(name[0]!.toUpperCase() + name.slice(1)), true, name)
  }
})

test('all others do, also those of the same length and very long ones', () => {
  for (const name of [
    '',
    'a',
    'is',
    'host',
    'cookie',
    'version',
    'set-cookie',
    'Connectiom',
    'x-connection',
    'content-length',
    'authorization',
    'transfer-encodinh',
    'x-forwarded-proto-1',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(10_000),
  ]) {
    assert.equal(isHopByHop(name), false, name)
  }
})

test('Connection nominates what it names, by lower-case name', () => {
  for (const [connection, names] of [
    ['x-secret', ['x-secret']],
    ['X-Secret', ['x-secret']],
    ['keep-alive, x-one, X-Two', ['x-one', 'x-two']],
    ['close,x-one', ['x-one']],
    [' \tx-one\t , ,, x-two ', ['x-one', 'x-two']],
    ['x-one, x-one', ['x-one']],
    ['upgrade', ['upgrade']],
    [
      ['x-one', 'x-two'],
      ['x-one', 'x-two'],
    ],
  ] as const) {
    assert.deepEqual([...nominated(connection as string | string[])!], names, String(connection))
  }
})

test('Connection nominates nothing where it names only how the connection is kept', () => {
  for (const connection of [
    undefined,
    '',
    ',',
    ' ',
    'close',
    'keep-alive',
    'Close',
    'Keep-Alive',
    'keep-alive, close',
  ]) {
    assert.equal(nominated(connection), null, String(connection))
  }
})
