import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadOptionsError, faultsOfOptions, proxyProtocol } from '../src/index.ts'
import { Peers } from '../src/peers.ts'

/** Lists, and which of the addresses below are in them. */
const lists: readonly (readonly [from: readonly string[], has: readonly string[]])[] = [
  [['10.0.0.0/8'], ['10.1.2.3', '::ffff:10.1.2.3']],
  [['10.1.2.3'], ['10.1.2.3', '::ffff:10.1.2.3']],
  [['10.1.2.4', '10.1.2.2/32'], []],
  [['0.0.0.0/0'], ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1']],
  [['::/0'], ['2001:db8::1', '::1']],
  [
    ['2001:DB8::/32', '::1'],
    ['2001:db8::1', '::1'],
  ],
  [['unix'], []],
]
const addresses = ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1', '2001:db8::1', '::1', undefined]

test('peers are found by address and network', () => {
  for (const [from, has] of lists) {
    const peers = new Peers(from)
    const found = addresses.filter((remoteAddress) => peers.has({ remoteAddress }, false))
    assert.deepEqual(found, has, from.join())
    assert.equal(peers.has({ remoteAddress: undefined }, true), from.includes('unix'))
  }
})

test('options that cannot be used are named, all of them', () => {
  for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', 'fe80::1%eth0', '10.0.0'])
    assert.deepEqual(
      faultsOfOptions({ from: ['10.0.0.1', text] }),
      [`from.1: '${text}' is not an address, a network such as 10.0.0.0/8, or unix`],
      text,
    )
  assert.throws(
    () => proxyProtocol({ from: [], timeout: 10 }),
    (error) => {
      assert.ok(error instanceof BadOptionsError)
      assert.match(error.message, /from: .*; timeout: expected .* from 3000/)
      return true
    },
  )
  assert.throws(() => proxyProtocol({ form: ['10.0.0.1'] } as never), /did you mean from/)
})
