import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { bytesOf } from '../../src/consistent/bytes.ts'
import { crcOf, crcStart, crcWith, crcWithWord } from '../../src/consistent/crc32.ts'
import { murmur3, rehashed } from '../../src/consistent/murmur3.ts'

// The vectors that implementations of MurmurHash3_x86_32 share.
const vectors: readonly (readonly [bytes: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['\xff\xff\xff\xff', 0, 0x76293b50],
  ['\x21\x43\x65\x87', 0, 0xf55b516b],
  ['\x21\x43\x65\x87', 0x5082edee, 0x2362f9de],
  ['\x21\x43\x65', 0, 0x7e4a8634],
  ['\x21\x43', 0, 0xa0f7b07a],
  ['\x21', 0, 0x72661cf4],
  ['\0\0\0\0', 0, 0x2362f9de],
  ['\0\0\0', 0, 0x85f0b427],
  ['\0\0', 0, 0x30f4c306],
  ['\0', 0, 0x514e28b7],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['abcd', 0x9747b28c, 0xf0478627],
  ['abc', 0x9747b28c, 0xc84a62dd],
  ['ab', 0x9747b28c, 0x74875592],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
]

test('murmur3 has the published vectors', () => {
  for (const [bytes, seed, hash] of vectors) assert.equal(murmur3(bytes, seed), hash, JSON.stringify(bytes))
})

test('a hash of a hash is that of its four bytes', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffffffff }), fc.nat({ max: 0xffffffff }), (hash, seed) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(hash)
      assert.equal(rehashed(hash, seed), murmur3(bytes.toString('latin1'), seed))
    }),
    { seed: 1 },
  )
})

test('crc32 has the published check value, and is that of zlib', () => {
  assert.equal(crcOf(crcWith(crcStart, '123456789')), 0xcbf43926)
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat({ max: 0xffffffff }), (bytes, word) => {
      const four = Buffer.alloc(4)
      four.writeUInt32LE(word)
      const ours = crcOf(crcWithWord(crcWith(crcStart, Buffer.from(bytes).toString('latin1')), word))
      assert.equal(ours, crc32(Buffer.concat([bytes, four])))
    }),
    { seed: 1 },
  )
})

test('what came as bytes stays so, any other text is UTF-8', () => {
  assert.equal(bytesOf('caf\xe9'), 'caf\xe9')
  assert.equal(bytesOf('日'), '\xe6\x97\xa5')
})
