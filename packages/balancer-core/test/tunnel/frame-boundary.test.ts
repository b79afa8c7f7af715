import { array, assert as check, boolean, constantFrom, nat, oneof, property, record } from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameBoundary } from '../../src/tunnel/frame-boundary.ts'

interface Frame {
  readonly length: number
  readonly masked: boolean
  /** Which size of length is written; never too small. */
  readonly size: 0 | 2 | 8
}

function bytesOf({ length, masked, size }: Frame): Buffer {
  const extended = Math.max(size, length < 126 ? 0 : length < 65_536 ? 2 : 8)
  const head = Buffer.alloc(2 + extended + (masked ? 4 : 0), 0xff)
  head[0] = 0x82
  head[1] = (masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127)
  if (extended === 2) head.writeUInt16BE(length, 2)
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, Buffer.alloc(length, 0x7f)])
}

const frame = record({
  length: oneof(nat(200), constantFrom(0, 125, 126, 127, 65_535, 65_536)),
  masked: boolean(),
  size: constantFrom<0 | 2 | 8>(0, 2, 8),
})

test('frames end where their headers say, wherever the bytes are cut', () => {
  check(
    property(array(frame, { minLength: 1, maxLength: 6 }), array(nat(300)), (frames, cuts) => {
      const parts = frames.map(bytesOf)
      const ends = new Set<number>([0])
      let total = 0
      for (const part of parts) ends.add((total += part.length))
      const all = Buffer.concat(parts)
      const boundary = new FrameBoundary()
      const finishing = new FrameBoundary()
      let at = 0
      for (const cut of [...cuts, all.length]) {
        const chunk = all.subarray(at, at + cut)
        assert.equal(boundary.follow(chunk), chunk.length)
        // Another one stops at each end.
        for (let passed = 0; passed < chunk.length;) {
          const step = finishing.isBetween
            ? finishing.follow(chunk.subarray(passed, passed + 1))
            : finishing.followToEnd(chunk.subarray(passed))
          passed += step
          assert.equal(finishing.isBetween, ends.has(at + passed))
        }
        at += chunk.length
        assert.equal(boundary.isBetween, ends.has(at))
      }
    }),
  )
})

test('between two frames nothing belongs to the current one', () => {
  const boundary = new FrameBoundary()
  const bytes = bytesOf({ length: 5, masked: true, size: 0 })
  assert.equal(boundary.followToEnd(bytes), 0)
  boundary.follow(bytes.subarray(0, 1))
  assert.equal(boundary.followToEnd(Buffer.concat([bytes.subarray(1), bytes])), bytes.length - 1)
})
