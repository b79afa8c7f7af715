import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/consistent/layout.ts'
import { ring } from '../../src/consistent/ring.ts'

const nodesOf = (weight: number, ...identities: string[]) => identities.map((identity): Node => ({ identity, weight }))

const any = () => true

function homesOf(nodes: readonly Node[], keys: readonly string[]): readonly string[] {
  const layout = ring(nodes)
  return keys.map((key) => nodes[layout.choose(layout.hashOf(key), 0, any)]!.identity)
}

test('two servers share keys as in nginx', () => {
  // As Pingora's tests have them from nginx.
  const keys = {
    '/some/path': '127.0.0.1:7778',
    '/some/longer/path': '127.0.0.1:7777',
    '/sad/zaidoon': '127.0.0.1:7778',
    '/g': '127.0.0.1:7777',
    '/pingora/team/is/cool/and/this/is/a/long/uri': '127.0.0.1:7778',
    '/i/am/not/confident/in/this/code': '127.0.0.1:7777',
  }
  const nodes = nodesOf(1, '127.0.0.1:7777', '127.0.0.1:7778')
  assert.deepEqual(homesOf(nodes, Object.keys(keys)), Object.values(keys))
})

test('nine servers of weight 100, with 144 000 points, share keys as in nginx', () => {
  // Of the sample from nginx in pingora-ketama/test-data.
  const keys = {
    '/81fa1d251d605775d647b5b55565e71526d4cef6': '10.0.0.7:443',
    '/2fec328e6ccdda6a7edf329f9f780e546ea183b4': '10.0.0.5:443',
    '/19fb835d90883a6263ec4279c6da184e3f1a79b2': '10.0.0.4:443',
    '/da7a88e542f7aaddc074f988164b9df7e5f7fea6': '10.0.0.4:443',
    '/26d2769eab098458bc3e4e641a4b7d8abffd0aea': '10.0.0.6:443',
    '/d9c4bc3cc4517c629e8f4c911c2fd8baf260ae65': '10.0.0.1:443',
    '/fe5199bdfeee5cd431ae7e9f77f178164f9995a0': '10.0.0.9:443',
    '/43992eee187920c5e8695332f71ca6e23ef6ac4b': '10.0.0.3:443',
    '/77766138aaf0c016bdd1f6b996177fc8ca1d2204': '10.0.0.8:443',
    '/668fd6d99bfb50b85b0928a8915761be2ca19089': '10.0.0.2:443',
  }
  const nodes = nodesOf(100, ...Array.from({ length: 9 }, (_, index) => `10.0.0.${index + 1}:443`))
  assert.deepEqual(homesOf(nodes, Object.keys(keys)), Object.values(keys))
})

test('a key goes on to the next server on the ring', () => {
  const nodes = nodesOf(1, '127.0.0.1:7777', '127.0.0.1:7778', '127.0.0.1:7779')
  const layout = ring(nodes)
  const hash = layout.hashOf('doghash')
  // Points of 7778, 7779, 7779, 7777 follow this key, as Pingora's tests have it.
  assert.deepEqual(
    [0, 1, 2, 3].map((skip) => nodes[layout.choose(hash, skip, any)]?.identity),
    ['127.0.0.1:7778', '127.0.0.1:7779', '127.0.0.1:7777', undefined],
  )
})

test('of too many points, each server keeps its share', () => {
  // 10 000 × 16 000 points would take minutes.
  const nodes = Array.from({ length: 1000 }, (_, index): Node => ({
    identity: `s${index}`,
    weight: index === 0 ? 65_535 : 100,
  }))
  const shares = ring(nodes).shares()
  // A share of p of all has p × 2¹⁸ points; the sum of k random gaps varies by 1 ÷ √k of itself.
  const exact = 65_535 / (65_535 + 99_900)
  assert.ok(Math.abs(shares[0]! - exact) < (5 * exact) / Math.sqrt(exact * 2 ** 18))
  assert.ok(shares.every((share) => share > 0))
})
