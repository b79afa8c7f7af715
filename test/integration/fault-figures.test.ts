// The figures of `run.ts faults`, from arrivals and answers that are written down by hand. Times in ms.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { viewOf } from '../bench/faults/client-view.ts'
import type { Sent } from '../bench/faults/client.ts'
import { goneAfter, noticedAfter } from '../bench/faults/detection.ts'
import { figuresOf } from '../bench/faults/figures.ts'
import { flawlessAfter, sharedAfter, unevenness } from '../bench/faults/recovery.ts'
import { requestsBetween, unreadBytes } from '../bench/faults/unseen.ts'
import { percentile } from '../bench/statistics.ts'

/** One every `period`, from `from` on; `until` is not among them. */
function every(period: number, from: number, until: number): number[] {
  return Array.from({ length: Math.ceil((until - from) / period) }, (_, index) => from + index * period)
}

/** At 200 requests a second, 2 % of half a second are 2. */
const rate = 200
const since = 1000
const until = 11_000

const noticed = (arrivals: readonly number[]) => noticedAfter({ arrivals, rate, since, until })
const gone = (arrivals: readonly number[]) => goneAfter({ arrivals, rate, since, until })

describe('when a sick backend was noticed', () => {
  test('at once, if it got nothing more', () => {
    assert.equal(noticed([]), 0)
    assert.equal(gone([]), 0)
  })

  test('what it got before the fault does not count', () => {
    const before = every(20, 0, since)
    assert.equal(noticed(before), 0)
    assert.equal(gone(before), 0)
  })

  test('at the last request, where they stop all at once', () => {
    // The window that begins at 1940 holds 1960 and 1980, which is allowed.
    const arrivals = every(20, since, 2000)
    assert.equal(noticed(arrivals), 940)
    assert.equal(gone(arrivals), 980)
  })

  test('never, if it gets its share to the end', () => {
    const arrivals = every(20, since, until)
    assert.equal(noticed(arrivals), undefined)
    assert.equal(gone(arrivals), undefined)
  })

  test('trials and probes are not more than 2 %', () => {
    // One every 250 ms: two in each window, however it lies, since its beginning is not part of it.
    const arrivals = every(250, since, until)
    assert.equal(noticed(arrivals), 0)
    assert.equal(gone(arrivals), 0)
  })

  test('three in half a second are too many', () => {
    const arrivals = [3000, 3200, 3499]
    assert.equal(noticed(arrivals), 0)
    assert.equal(gone(arrivals), 2499)
    assert.equal(gone([3000, 3200, 3500]), 0)
  })

  test('noticed early and gone late: it was let in again in between', () => {
    const arrivals = [...every(20, since, 1200), ...every(20, 6000, 6200)]
    assert.equal(noticed(arrivals), 140)
    assert.equal(gone(arrivals), 5180)
  })

  test('not gone, if it came back in the last second', () => {
    const back = [9980, 9990, 10_000]
    assert.equal(gone(back), 9000)
    assert.equal(gone(back.map((at) => at + 1)), undefined)
  })

  test('not noticed, if half a second does not fit before the end', () => {
    assert.equal(noticed(every(20, since, 10_560)), 9500)
    assert.equal(noticed(every(20, since, 10_580)), undefined)
  })

  test('2 % is rounded down to whole requests', () => {
    // At 399 a second, 2 % of half a second are 3.99.
    const arrivals = [3000, 3010, 3020, 3030]
    assert.equal(goneAfter({ arrivals, rate: 399, since, until }), 2030)
    assert.equal(goneAfter({ arrivals, rate: 400, since, until }), 0)
  })
})

describe('when all was well again', () => {
  const period = { from: 5000, until: 15_000 }

  test('at once, without failures; those before the return do not count', () => {
    assert.equal(flawlessAfter([], period), 0)
    assert.equal(flawlessAfter([1000, 4999], period), 0)
  })

  test('after the last failure that another one followed within a second', () => {
    assert.equal(flawlessAfter([5100, 5900, 6899], period), 1899)
    assert.equal(flawlessAfter([5100, 5900, 6900], period), 900)
    assert.equal(flawlessAfter([6000], period), 0)
    assert.equal(flawlessAfter([5999], period), 999)
  })

  test('never, if a second does not fit before the end', () => {
    const failures = every(500, 5000, 14_001)
    assert.equal(flawlessAfter(failures, period), 9000)
    assert.equal(flawlessAfter([...failures, 14_001], period), undefined)
  })

  test('shared, from the first second in which all four get their part', () => {
    const whole = every(20, 5000, 15_000)
    const late = every(20, 7000, 15_000)
    const all = { ...period, rate }
    assert.equal(sharedAfter([whole, whole, whole, whole], all), 0)
    // 15 % of n + 150 is reached with n ≥ 26.5, so 27 of 50: 540 ms of the window, less the first one's 20.
    assert.equal(sharedAfter([whole, whole, whole, late], all), 1550)
    assert.equal(sharedAfter([whole, whole, whole, []], all), undefined)
  })

  test('not shared, while most requests do not come through', () => {
    const trickle = every(100, 5000, 15_000)
    assert.equal(sharedAfter([trickle, trickle, trickle, trickle], { ...period, rate }), undefined)
    assert.equal(sharedAfter([trickle, trickle, trickle, trickle], { ...period, rate: 80 }), 0)
  })

  test('unevenness is how often as many the busiest got', () => {
    assert.equal(unevenness([every(10, 0, 10_000), every(20, 0, 10_000)], { from: 5000, until: 6000 }), 2)
    assert.equal(unevenness([[5500], [6000]], { from: 5000, until: 6000 }), undefined)
  })
})

function request(at: number, took: number, status = 200): Sent {
  return { at, took, status, backend: 'a', problem: status === 200 ? '' : status === 0 ? 'reset' : `status ${status}` }
}

describe('what clients saw', () => {
  test('percentiles are values that were measured (nearest rank)', () => {
    const hundred = every(1, 1, 101).toReversed()
    assert.equal(percentile(hundred, 0.99), 99)
    assert.equal(percentile(hundred, 0.5), 50)
    assert.equal(percentile(hundred, 1), 100)
    assert.equal(percentile([7], 0.01), 7)
    assert.throws(() => percentile([], 0.5), RangeError)
  })

  test('a request is failed or slow, not both', () => {
    const sent = [request(0, 100), request(0, 101), request(0, 5000, 504), request(0, 1, 500), request(0, 9, 0)]
    assert.deepEqual(viewOf(sent, 10), {
      requests: 5,
      failed: 3,
      slow: 1,
      p99: 5000,
      problems: { 'status 504': 1, 'status 500': 1, reset: 1 },
    })
  })

  test('what was under way at the fault is part of it, what came in the first second of none', () => {
    const sent = [request(500, 10, 502), request(2000, 12), request(2100, 8), request(3995, 5, 0), request(4100, 120)]
    const course = { since: 4000, sick: [] }
    const { calm, requests, failed, slow } = figuresOf({ begun: 0, until: 9000, rate, sent, course })
    assert.deepEqual({ calm, requests, failed, slow }, { calm: { p50: 8, failed: 0 }, requests: 2, failed: 1, slow: 1 })
  })
})

describe('figures of a course', () => {
  const sent = [request(2000, 10), request(5000, 1, 502), request(6500, 1, 503)]
  const run = { begun: 0, until: 14_000, rate, sent }
  const names = (figures: object) => Object.keys(figures).filter((name) => !(name in view))
  const view = { calm: 0, requests: 0, failed: 0, slow: 0, p99: 0, problems: 0 }

  test('of one that is sick: its share of all that clients sent in the second half', () => {
    const sick = [...every(10, 4000, 9000), ...every(20, 9000, 14_000)]
    const figures = figuresOf({ ...run, course: { since: 4000, sick } })
    assert.deepEqual(names(figures), ['shareAtEnd'])
    assert.equal(figures.shareAtEnd, 0.25)
  })

  test('of one that flaps: how evenly the others are used', () => {
    const well = [every(10, 0, 14_000), every(40, 0, 14_000)]
    const figures = figuresOf({ ...run, course: { since: 4000, well } })
    assert.deepEqual(names(figures), ['unevenness'])
    assert.equal(figures.unevenness, 4)
  })

  test('of an outage: what failed after the return, and until when', () => {
    const well = [1, 2, 3, 4].map(() => every(20, 6000, 14_000))
    const figures = figuresOf({ ...run, course: { since: 4000, returned: 6000, well } })
    assert.deepEqual(names(figures), ['failedAfterReturn', 'flawlessAfter', 'sharedAfter'])
    assert.equal(figures.failed, 2)
    assert.equal(figures.failedAfterReturn, 1)
    assert.equal(figures.flawlessAfter, 500)
    assert.equal(figures.sharedAfter, 0)
  })
})

describe('requests to a backend that is stopped', () => {
  // As proc_net_tcp(5) has it: local and remote address, state, bytes to send and to read. Port 8080 is 1F90.
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000
   1: 0100007F:1F90 0100007F:A001 01 00000000:0000004B 00:00000000 00000000
   2: 0100007F:1F90 0100007F:A002 08 00000000:0000004C 00:00000000 00000000
   3: 0100007F:1F90 0100007F:A003 01 00000000:00000000 00:00000000 00000000
   4: 0100007F:A001 0100007F:1F90 01 00000000:00000010 00:00000000 00000000
   5: 0100007F:1F91 0100007F:A004 01 00000000:0000004B 00:00000000 00000000
`

  test('the system tells what waits for it: not for those that ask it, or for others', () => {
    assert.deepEqual(
      [...unreadBytes(table, 8080)],
      [
        ['0100007F:A001', 0x4b],
        ['0100007F:A002', 0x4c],
        ['0100007F:A003', 0],
      ],
    )
  })

  test('a new connection with something to read, or more to read, is a request; the end of one is none', () => {
    const before = new Map([
      ['idle', 0],
      ['waiting', 75],
      ['left', 75],
    ])
    assert.equal(requestsBetween(before, before), 0)
    assert.equal(requestsBetween(before, new Map([['idle', 75]])), 1)
    assert.equal(requestsBetween(before, new Map([['new', 75]])), 1)
    assert.equal(
      requestsBetween(
        before,
        new Map([
          ['idle', 1],
          ['left', 76],
          ['closed', 1],
        ]),
      ),
      0,
    )
  })
})
