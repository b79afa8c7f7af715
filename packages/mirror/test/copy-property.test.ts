import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatcher } from 'undici'
import { ManualClock } from '../../../test/support/clock.ts'
import { Copy } from '../src/copy.ts'
import { outcomes } from '../src/outcome.ts'

/** What can happen to a copy, in whatever order. */
const event = fc.oneof(
  fc.constant({ kind: 'start' as const }),
  fc.record({ kind: fc.constant('head' as const), status: fc.integer({ min: 100, max: 999 }) }),
  fc.record({ kind: fc.constant('data' as const), length: fc.integer({ min: 0, max: 60 }) }),
  fc.constant({ kind: 'end' as const }),
  fc.record({ kind: fc.constant('error' as const), code: fc.constantFrom('ECONNRESET', 'UND_ERR_SOCKET', undefined) }),
  fc.record({ kind: fc.constant('time' as const), passed: fc.integer({ min: 0, max: 60 }) }),
)

test('whatever happens, a copy ends at most once, with one outcome, and leaves no timer', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), fc.boolean(), (events, isSecure) => {
      const clock = new ManualClock()
      const ends: string[] = []
      let aborts = 0
      const copy = new Copy({ isSecure, timeout: 100, maxResponse: 100 }, clock, (outcome) => ends.push(outcome))
      // As undici does it: what was aborted ends with an error, at once.
      const controller = {
        abort(reason: Error) {
          aborts++
          copy.onResponseError(null, reason)
        },
      } as unknown as Dispatcher.DispatchController
      let isStarted = false
      let isOver = false
      for (const one of events) {
        if (one.kind === 'time') clock.advance(one.passed)
        else if (isOver) continue
        else if (one.kind === 'start') {
          if (!isStarted) copy.onRequestStart(controller)
          isStarted = true
        } else if (one.kind === 'error') copy.onResponseError(null, Object.assign(new Error(), { code: one.code }))
        else if (!isStarted) continue
        else if (one.kind === 'head') copy.onResponseStart(controller, one.status)
        else if (one.kind === 'data') copy.onResponseData(controller, Buffer.alloc(one.length))
        else copy.onResponseEnd()
        isOver = ends.length > 0
      }
      assert.ok(ends.length <= 1 && aborts <= 1, `${ends.length} ends, ${aborts} aborts`)
      assert.ok(ends.every((end) => (outcomes as readonly string[]).includes(end)))
      // A timer that has rung before there was a connection is gone, too.
      assert.equal(clock.pending, ends.length === 1 || clock.now() >= 100 ? 0 : 1)
      if (isStarted && clock.now() >= 100) assert.equal(ends.length, 1)
    }),
    { numRuns: 2000 },
  )
})
