import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, test } from 'node:test'
import { bodyLimit, BodySearch, isReversed, statusMatcher } from '../../src/probe/expectation.ts'

describe('statuses', () => {
  test('a number stands for itself, a range for both its ends and all between', () => {
    const isGood = statusMatcher([204, '300-302'])
    const good = [199, 203, 204, 205, 299, 300, 301, 302, 303].filter(isGood)
    assert.deepEqual(good, [204, 300, 301, 302])
  })

  test('a range the wrong way round is known', () => {
    assert.deepEqual(['399-200', '200-399', '200-200', 200].map(isReversed), [true, false, false, false])
  })
})

/** What is found after each part, and at the end. */
function findings(wanted: string | RegExp, ...parts: string[]): (boolean | undefined)[] {
  const search = new BodySearch(wanted)
  return [...parts.map((part) => search.add(Buffer.from(part))), search.end()]
}

describe('the body', () => {
  test('a string is found as soon as it is there', () => {
    assert.deepEqual(findings('ready', 'I am ready', 'to go'), [true, undefined, true])
    assert.deepEqual(findings('ready', 'I am', ' not'), [undefined, undefined, false])
  })

  test('also across parts', () => {
    assert.deepEqual(findings('ready', 'I am r', 'ead', 'y'), [undefined, undefined, true, true])
    assert.deepEqual(findings('bereit für', 'bereit f', 'ür'), [undefined, true, true])
  })

  test('a RegExp is asked once the end is there', () => {
    assert.deepEqual(findings(/^ok$/, 'o', 'k'), [undefined, undefined, true])
    assert.deepEqual(findings(/^ok$/, 'ok', ', not'), [undefined, undefined, false])
  })

  test('a RegExp that remembers where it ended has the same answer each time', () => {
    const wanted = /ok/gy
    assert.deepEqual(
      [findings(wanted, 'ok'), findings(wanted, 'ok')],
      [
        [undefined, true],
        [undefined, true],
      ],
    )
    assert.equal(wanted.lastIndex, 0, 'it is left alone')
  })

  test('an empty string is in every body', () => {
    assert.deepEqual(findings('', ''), [true, true])
    assert.deepEqual(findings(''), [true])
  })

  test('nothing after 64 KiB is looked at', () => {
    const filler = 'x'.repeat(bodyLimit - 5)
    assert.deepEqual(findings('ready', filler, 'ready'), [undefined, true, true])
    assert.deepEqual(findings('ready', `${filler}.`, 'ready'), [undefined, false, false])
    assert.deepEqual(findings('ready', `${filler}.ready`), [false, false])
    assert.deepEqual(findings(/ready$/, filler, 'ready and more'), [undefined, true, true])
    assert.deepEqual(findings('ready', `${filler}.ready`, 'ready', 'ready'), [false, false, false, false])
  })

  test('however it is cut, a string is found exactly if it is there', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), letters, (parts, wanted) => {
        const found = findings(wanted, ...parts)
        assert.equal(found.at(-1), parts.join('').includes(wanted))
        const early = found.indexOf(true)
        if (early < found.length - 1)
          assert.ok(
            early === -1 ||
              parts
                .slice(0, early + 1)
                .join('')
                .includes(wanted),
          )
      }),
    )
  })
})
