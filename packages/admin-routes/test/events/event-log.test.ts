import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventLog } from '../../src/events/event-log.ts'
import type { EventDraft } from '../../src/events/event.ts'
import { frameOf } from '../../src/events/frame.ts'

const at = 5
const panic: EventDraft = {
  type: 'panic',
  balancer: 'one',
  at,
  panicking: true,
  backends: 2,
  available: 0,
  eligible: 2,
  text: 'panic',
}

function logOf(size: number, events: number): EventLog {
  const log = new EventLog(size, 'e')
  for (let count = 0; count < events; count++) log.append(panic)
  return log
}

describe('the log', () => {
  test('keeps the latest, with numbers that rise by one', () => {
    const log = logOf(3, 5)
    assert.deepEqual([log.oldest, log.newest], [3, 5])
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((number) => log.at(number)?.frame.split('\n')[0]),
      [undefined, undefined, 'id: e-3', 'id: e-4', 'id: e-5', undefined],
    )
  })

  test('who has seen nothing goes on with what comes next', () => {
    for (const last of [undefined, '']) assert.deepEqual(logOf(3, 2).resume(last, at), { next: 3, gap: undefined })
    assert.deepEqual(logOf(3, 0).resume(undefined, at), { next: 1, gap: undefined })
  })

  test('who comes back goes on after what it has seen', () => {
    for (const [last, next] of [
      ['e-2', 3],
      ['e-4', 5],
      ['e-5', 6],
    ] as const)
      assert.deepEqual(logOf(3, 5).resume(last, at), { next, gap: undefined })
  })

  test('what is gone from the ring is told as a gap', () => {
    assert.deepEqual(logOf(3, 5).resume('e-1', at), {
      next: 3,
      gap: { type: 'gap', at, reason: 'overflow', missed: 1 },
    })
    assert.deepEqual(logOf(3, 5).resume('e-0', at), {
      next: 3,
      gap: { type: 'gap', at, reason: 'overflow', missed: 2 },
    })
  })

  for (const last of ['f-4', 'e-6', 'e-', 'e', '4', '-4', 'e-x', 'e--4', 'e-1e0', 'x-e-4', 'e-4 ', 'é'])
    test(`an id that is not of this process is not taken for one: ${last}`, () => {
      const gap = { type: 'gap', at, reason: 'unknown-id' }
      assert.deepEqual(logOf(3, 5).resume(last, at), { next: 3, gap })
    })

  test('the latest so many that somebody wants, no more than are kept', () => {
    const log = logOf(3, 5)
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((count) => log.latest(count, () => true)),
      [6, 5, 4, 3, 3],
    )
    assert.equal(
      log.latest(1, ({ frame }) => frame.startsWith('id: e-4')),
      4,
    )
    assert.equal(
      log.latest(1, () => false),
      6,
    )
    assert.equal(
      logOf(3, 0).latest(2, () => true),
      1,
    )
  })

  test('keeps no more than 4 MiB, however long the events are', () => {
    const log = new EventLog(1000, 'e')
    const long = { ...panic, balancer: 'x'.repeat(60_000) }
    let length = 0
    for (let count = 0; count < 500; count++) log.append(long)
    for (let number = log.oldest; number <= log.newest; number++) length += log.at(number)!.frame.length
    assert.ok(length <= 4_194_304 && length > 4_000_000, String(length))
    for (let count = 0; count < 2000; count++) log.append(panic)
    assert.equal(log.newest - log.oldest, 999)
  })
})

describe('a frame', () => {
  const veto = {
    type: 'veto',
    balancer: 'one',
    backend: 'a',
    at,
    action: 'laid',
    by: 'me',
    hard: false,
    available: false,
    since: 1,
  } as const

  test('is one line of data, whatever stands in it', () => {
    const text = frameOf('e-1', { ...veto, reason: 'line\nline\r\n\n\u2028', evidence: undefined })
    assert.match(text, /^id: e-1\nevent: veto\ndata: [^\n\r]*\n\n$/)
    const { reason } = JSON.parse(text.split('data: ')[1]!) as { reason: string }
    assert.equal(reason, 'line\nline\r\n\n\u2028')
  })

  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const hostile = {
    toJSON() {
      throw new Error('no')
    },
  }
  for (const [name, evidence] of Object.entries({
    circular,
    large: 1n,
    code: () => {},
    hostile,
    long: 'x'.repeat(65_537),
  }))
    test(`leaves out what cannot be told, and says so: ${name}`, () => {
      const text = frameOf('e-1', { ...veto, reason: 'r', evidence })
      assert.deepEqual(JSON.parse(text.split('data: ')[1]!), { id: 'e-1', ...veto, reason: 'r', omitted: ['evidence'] })
    })
})
