import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moved } from '../../page/widgets/arrow-keys.ts'
import { connectionsText, inFlightText } from '../../page/head/drain-text.ts'
import { panicText } from '../../page/head/panic-text.ts'
import { textOf } from '../../page/feed/event-text.ts'
import type { FeedEvent } from '../../page/live/events.ts'
import { readHeaders } from '../../page/explain/header-lines.ts'
import { stateWord } from '../../page/backends/state-word.ts'
import { detailsText } from '../../page/explain/policy-details.ts'
import { verdictOf } from '../../page/explain/verdict.ts'
import type { ExplainedBackend } from '../../page/api/explanation-view.ts'
import type { ServerView } from '../../page/api/views.ts'

const base = { id: '1', at: 0, balancer: 'api' }

test('every event is told in a line, and whether it is good news', () => {
  const told: [FeedEvent, string][] = [
    [
      { ...base, type: 'veto', backend: 'a', action: 'laid', by: 'x', reason: 'y', hard: false, available: false },
      'bad unhealthy (x): y',
    ],
    [
      { ...base, type: 'veto', backend: 'a', action: 'lifted', by: 'x', reason: 'y', hard: false, available: true },
      'good no longer kept out by x (was: y)',
    ],
    [
      { ...base, type: 'veto', backend: 'a', action: 'lifted', by: 'x', reason: 'y', hard: false, available: false },
      'plain no longer kept out by x (was: y)',
    ],
    [
      { ...base, type: 'veto', backend: 'a', action: 'laid', by: 'x', reason: 'y', hard: true, available: false },
      'plain out of rotation (x): y',
    ],
    [
      { ...base, type: 'circuit', backend: 'a', before: 'closed', state: 'open', reason: 'r' },
      'bad circuit closed → open: r',
    ],
    [
      { ...base, type: 'circuit', backend: 'a', before: 'open', state: 'half-open', reason: 'r' },
      'plain circuit open → half-open: r',
    ],
    [
      { ...base, type: 'circuit', backend: 'a', before: 'half-open', state: 'closed', reason: 'r' },
      'good circuit half-open → closed: r',
    ],
    [{ ...base, type: 'panic', panicking: true, text: 'panic mode: 0 of 4' }, 'bad panic mode: 0 of 4'],
    [{ ...base, type: 'panic', panicking: false, text: 'panic mode over' }, 'good panic mode over'],
    [{ ...base, type: 'state', backend: 'a', before: 'ready', state: 'drain' }, 'plain ready → drain'],
    [{ ...base, type: 'state', backend: 'a', before: 'drain', state: 'ready' }, 'good drain → ready'],
    [
      { ...base, type: 'state', backend: 'a', before: 'ready', state: 'drain', who: 'ada' },
      'plain ready → drain, for ada',
    ],
    [
      { ...base, type: 'backends', revision: 2, added: ['a', 'b'], changed: ['c'] },
      'plain list changed (revision 2): added a, b; changed c',
    ],
    [{ ...base, type: 'backends', revision: 3, removed: ['a'] }, 'plain list changed (revision 3): removed a'],
    [{ ...base, type: 'backends', revision: 4 }, 'plain list changed (revision 4): new order'],
    [
      { ...base, type: 'admin', backend: 'a', text: 'ada set a: ready → drain (deadline 30 s)' },
      'plain ada set a: ready → drain (deadline 30 s)',
    ],
    [{ id: '1', at: 0, type: 'admin', text: 'ada: refused', refused: { statusCode: 409 } }, 'bad ada: refused'],
    [{ ...base, type: 'queue', refusing: true, text: 'queue full' }, 'bad queue full'],
    [{ ...base, type: 'queue', refusing: false, text: 'none refused' }, 'good none refused'],
    [{ id: '1', at: 0, type: 'overload', refusing: true, text: 'overloaded' }, 'bad overloaded'],
    [
      { id: '1', at: 0, type: 'reload', applied: true, summary: 'reloaded (SIGHUP): nothing has changed' },
      'plain reloaded (SIGHUP): nothing has changed',
    ],
    [{ id: '1', at: 0, type: 'reload', applied: false, summary: 'not reloaded' }, 'bad not reloaded'],
  ]
  for (const [event, expected] of told) {
    const { tone, text } = textOf(event)
    assert.equal(`${tone} ${text}`, expected)
  }
})

test('headers are read line by line, whatever their case; a name that comes again has several values', () => {
  assert.deepEqual(readHeaders('X-A: 1\n\n  b : two: three \nx-a:2\nx-A: 3\nempty:'), {
    headers: Object.assign(Object.create(null), { 'x-a': ['1', '2', '3'], b: 'two: three', empty: '' }),
    bad: [],
  })
  assert.deepEqual(readHeaders('a: 1\nno header\n: x\nb c: 1').bad, [2, 3, 4])
  assert.deepEqual(Object.keys(readHeaders('__proto__: x\nconstructor: y').headers), ['__proto__', 'constructor'])
})

test('the word for a state: an order says more than a veto', () => {
  assert.equal(stateWord({ state: 'ready', available: true }), 'healthy')
  assert.equal(stateWord({ state: 'ready', available: false }), 'unhealthy')
  assert.equal(stateWord({ state: 'drain', available: false }), 'draining')
  assert.equal(stateWord({ state: 'maintenance', available: false }), 'maintenance')
})

test('how far the drain of a server is', () => {
  const server = (exchanges: number, closesConnections = false, tunnels = 0): ServerView => {
    return { state: 'drain', closesConnections, exchanges, tunnels, idle: exchanges === 0 }
  }
  assert.deepEqual(
    [0, 1, 2, 1234].map((exchanges) => inFlightText(server(exchanges))),
    [
      'No requests are in flight.',
      'One request is still in flight.',
      '2 requests are still in flight.',
      '1,234 requests are still in flight.',
    ],
  )
  const withTunnels = ([exchanges, tunnels]: readonly [number, number]) =>
    inFlightText(server(exchanges, false, tunnels))
  assert.deepEqual(
    (
      [
        [1, 1],
        [5000, 5000],
        [2, 1],
        [12, 10],
      ] as const
    ).map(withTunnels),
    [
      'One tunnel is open.',
      '5,000 tunnels are open.',
      'One request is still in flight, and one tunnel is open.',
      '2 requests are still in flight, and 10 tunnels are open.',
    ],
  )
  assert.match(connectionsText(server(1)), /^Connections stay open for now, .*notice\.$/)
  const closesConnectionsAt = new Date(2026, 10, 23, 3, 4, 5).getTime()
  assert.match(connectionsText({ ...server(1), closesConnectionsAt, closesApp: false }), /until 03:04:05, .*notice\.$/)
  assert.match(connectionsText({ ...server(1), closesConnectionsAt, closesApp: true }), /Then the app closes\.$/)
  assert.match(connectionsText(server(1, true)), /^Connections are closed/)
})

test('panic mode: how many backends are unhealthy, and what happens now', () => {
  const unhealthy = { vetoes: [{ by: 'health-check', reason: 'down', hard: false, since: 0 }] }
  const drained = { vetoes: [{ by: 'drain', reason: 'ordered by ada', hard: true, since: 0 }] }
  const healthy = { vetoes: [] }
  assert.equal(
    panicText(Array.from({ length: 5 }, () => unhealthy)),
    'All 5 backends are unhealthy. Health is ignored and requests are tried on all of them.',
  )
  assert.equal(panicText([unhealthy]), 'The only backend is unhealthy. Health is ignored and requests are tried on it.')
  assert.equal(
    panicText([unhealthy, unhealthy, healthy]),
    'Only 1 of 3 backends is healthy. Health is ignored and requests are tried on all of them.',
  )
  assert.equal(
    panicText([unhealthy, drained, unhealthy]),
    'All 2 backends in rotation are unhealthy. Health is ignored and requests are tried on all of them. Backends that are draining or in maintenance get no requests.',
  )
})

test('why a backend would be picked, or not', () => {
  const veto = { by: 'health-check', reason: 'down', hard: false, since: 0 }
  const one = (id: string, rest: Partial<ExplainedBackend> = {}): ExplainedBackend => ({
    id,
    available: true,
    vetoes: [],
    inFlight: 0,
    maxInFlight: 3,
    limit: 2,
    load: 0,
    weight: 1,
    effectiveWeight: 1,
    priority: 0,
    score: 1,
    details: null,
    ...rest,
  })
  const backends = [
    one('a'),
    one('b', { vetoes: [veto] }),
    one('c', { inFlight: 2 }),
    one('d', { priority: 1 }),
    one('e', { score: 2.5 }),
    one('f'),
    one('g', { score: null }),
  ]
  const verdicts = (answer: { picked: string | null; panicking: boolean }) =>
    backends.map((backend) => verdictOf(backend, { ...answer, policy: { name: 'p2c' }, backends }))
  assert.deepEqual(verdicts({ picked: 'a', panicking: false }), [
    'picked',
    'unhealthy (health-check): down',
    'full: 2 of 2 in flight',
    'lower priority (1; the picked one has 0)',
    'worse score (2.5; the picked one has 1)',
    'not its turn',
    'not its turn',
  ])
  assert.equal(verdicts({ picked: 'b', panicking: true })[1], 'picked although unhealthy (panic mode)')
  assert.equal(verdicts({ picked: 'a', panicking: true })[1], 'not its turn')
  assert.equal(verdicts({ picked: null, panicking: false })[0], 'not its turn')
})

test('what a policy tells is one line in plain words', () => {
  assert.equal(
    detailsText({ group: 'priority 0', share: 0.25, responseTime: 1234.5, bound: true, key: null }),
    'group: priority 0; share: 0.3; response time: 1,235; bound: yes; key: none',
  )
  assert.equal(detailsText({}), '')
})

test('arrows go round, Home and End to the ends', () => {
  assert.deepEqual(
    ['ArrowDown', 'ArrowRight', 'ArrowUp', 'ArrowLeft', 'Home', 'End', 'x'].map((key) => moved(key, 2, 3)),
    [0, 0, 1, 1, 0, 2, undefined],
  )
  assert.equal(moved('ArrowUp', 0, 3), 2)
  assert.equal(moved('ArrowDown', 0, 0), undefined)
})
