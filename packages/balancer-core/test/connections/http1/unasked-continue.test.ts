import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutContinue } from '../../../src/connections/http1/unasked-continue.ts'

const continued = 'HTTP/1.1 100 Continue\r\n\r\n'
const processing = 'HTTP/1.1 102 Processing\r\nx-a: 1\r\n\r\n'
const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** What is passed on of this text, handed over in two pieces. */
function passedOf(text: string, cut: number): string {
  let held: Buffer | undefined
  let passed = ''
  for (const piece of [text.slice(0, cut), text.slice(cut)]) {
    if (piece === '') continue
    const bytes = Buffer.from(piece, 'latin1')
    const interim = withoutContinue(held === undefined ? bytes : Buffer.concat([held, bytes]))
    held = interim.held
    passed += interim.passed?.toString('latin1') ?? ''
    // What belongs to the final response is not looked at.
    if (interim.answered) return passed + (piece === text.slice(0, cut) ? text.slice(cut) : '')
  }
  return passed
}

test('each 100 goes, wherever it is cut; all else passes', () => {
  for (const [text, left] of [
    [continued + ok, ok],
    [continued.repeat(3) + ok, ok],
    [hints + continued + ok, hints + ok],
    [continued + processing + hints + continued + ok, processing + hints + ok],
    [ok, ok],
    ['garbage', 'garbage'],
    [`\r\n${ok}`, `\r\n${ok}`],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 100 not one\r\n\r\n', undefined],
  ] as const) {
    for (let cut = 0; cut <= text.length; cut++) assert.equal(passedOf(text, cut), left ?? text, `cut at ${cut}`)
  }
})

test('a head that does not end is handed on in the end', () => {
  const endless = Buffer.from(`HTTP/1.1 100 Continue\r\nx: ${'y'.repeat(20_000)}`)
  assert.deepEqual(withoutContinue(endless), { passed: endless, held: undefined, answered: true, continues: false })
  assert.equal(withoutContinue(endless.subarray(0, 1000)).passed, undefined)
})
