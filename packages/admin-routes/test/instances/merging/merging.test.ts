import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackendView } from '../../../src/schemas/views.ts'
import { mergedBackend } from '../../../src/instances/merging/merged-backend.ts'
import {
  mergedCounts,
  mergedRevisions,
  mergedSummary,
  type Summary,
} from '../../../src/instances/merging/merged-balancer.ts'
import { mean, summed } from '../../../src/instances/merging/sums.ts'

const count = fc.nat(1000)
const time = fc.nat(5)
const classes = fc.record({ '1xx': count, '2xx': count, '3xx': count, '4xx': count, '5xx': count })
const outcomes = fc.dictionary(fc.constantFrom('ok', 'connect-refused', 'client-gone'), count)

const veto = fc.record(
  {
    by: fc.constantFrom('health-check', 'outlier-detection', 'drain'),
    reason: fc.constantFrom('down', '5 failures in a row'),
    hard: fc.boolean(),
    since: time,
    until: time,
  },
  { requiredKeys: ['by', 'reason', 'hard', 'since'] },
)

const circuit = fc.record({
  backend: fc.constant('a'),
  state: fc.constantFrom('closed', 'open', 'half-open', 'isolated'),
  since: time,
  reason: fc.constantFrom('x', 'y'),
  openings: time,
  trials: time,
})

const health = fc.record(
  {
    state: fc.constantFrom('up', 'down', 'unknown'),
    since: time,
    consecutive: time,
    notEjected: fc.record({ reason: fc.constantFrom('x', 'y'), since: time }),
  },
  { requiredKeys: ['state', 'since', 'consecutive'] },
)

const connections = fc.record({ open: count, idle: count, running: count, allowed: count, waiting: count })

/** What several instances may tell of one backend, whose settings they agree on. */
const backend: fc.Arbitrary<BackendView> = fc.record(
  {
    id: fc.constant('a'),
    url: fc.constant('http://a.test'),
    addresses: fc.uniqueArray(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'), { minLength: 1 }),
    protocol: fc.constant('http1' as const),
    weight: fc.constant(1),
    effectiveWeight: fc.double({ min: 0, max: 1, noNaN: true }),
    priority: fc.constant(0),
    maxInFlight: fc.constant(10),
    limit: fc.nat(10),
    tags: fc.constant([]),
    state: fc.constantFrom('ready' as const, 'drain' as const, 'maintenance' as const),
    available: fc.boolean(),
    eligible: fc.boolean(),
    vetoes: fc.uniqueArray(veto, { maxLength: 3, selector: ({ by, reason, hard }) => `${by} ${reason} ${hard}` }),
    connections,
    inFlight: count,
    tunnels: count,
    oldestTunnel: count,
    requests: count,
    retries: count,
    outcomes,
    failed: count,
    responses: classes,
    bytesSent: count,
    bytesReceived: count,
    tunnelBytesSent: count,
    tunnelBytesReceived: count,
    latency: fc.record({
      average: fc.double({ min: 0, max: 1000, noNaN: true }),
      buckets: fc.array(count, { minLength: 3, maxLength: 3 }),
    }),
    circuit,
    health,
  },
  {
    requiredKeys: [
      ...(['id', 'url', 'protocol', 'weight', 'effectiveWeight', 'priority', 'maxInFlight', 'limit', 'tags'] as const),
      ...(['state', 'available', 'eligible', 'vetoes', 'connections', 'inFlight', 'tunnels', 'requests'] as const),
      ...(['retries', 'outcomes', 'failed', 'responses', 'bytesSent', 'bytesReceived', 'tunnelBytesSent'] as const),
      ...(['tunnelBytesReceived', 'latency'] as const),
    ],
  },
)

const summary: fc.Arbitrary<Summary> = fc.record(
  {
    name: fc.constant('default'),
    policy: fc.constant('round-robin'),
    revision: fc.constant(1),
    panicking: fc.boolean(),
    closing: fc.boolean(),
    exchanges: count,
    tunnels: count,
    waiting: count,
    waitingByClass: fc.dictionary(fc.constantFrom('high', 'low'), count),
    totals: fc.record({ requests: count, failed: count, retries: count, responses: classes, outcomes }),
    queue: fc.record(
      { waiting: count, max: count, refused: count, refusingSince: time },
      { requiredKeys: ['waiting', 'max', 'refused'] },
    ),
  },
  {
    requiredKeys: [
      ...(['name', 'policy', 'revision', 'panicking', 'closing', 'exchanges', 'tunnels', 'waiting'] as const),
      ...(['totals', 'queue'] as const),
    ],
  },
)

const counts = fc.record({ backends: count, available: count, eligible: count })
const revisions = fc.uniqueArray(fc.record({ revision: fc.nat(9), at: time, backends: time }), {
  selector: ({ revision }) => revision,
})
const sorted = revisions.map((all) => all.toSorted((one, other) => one.revision - other.revision))

const cases = [
  ['a backend', backend, mergedBackend],
  ['a balancer', summary, mergedSummary],
  ['numbers of backends', counts, mergedCounts],
  ['revisions', sorted, mergedRevisions],
] as const satisfies readonly (readonly [string, fc.Arbitrary<any>, (all: readonly any[]) => unknown])[]

/** As it comes from another instance. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

for (const [what, given, merge] of cases) {
  const one = (given as fc.Arbitrary<unknown>).map(plain)
  const merged = merge as (all: readonly unknown[]) => unknown
  test(`${what} of one instance stays as it is`, () => {
    fc.assert(fc.property(one, (own) => assert.deepEqual(merged([own]), own)))
  })

  test(`${what}: the order of instances does not matter`, () => {
    const several = fc.array(one, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        several.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => assert.deepEqual(merged(shuffled), merged(all)),
      ),
    )
  })
}

test('the worst circuit speaks, with how many have it', () => {
  const view = (state: string, since: number) => ({
    ...fc.sample(backend, { seed: 1, numRuns: 1 })[0]!,
    circuit: { backend: 'a', state, since, reason: `${state} since ${since}`, openings: 1, trials: 1 },
  })
  const worst = mergedBackend([view('closed', 1), view('open', 3), view('open', 2), view('half-open', 0)])
  assert.deepEqual(worst.circuit, {
    backend: 'a',
    state: 'open',
    since: 2,
    reason: 'open since 2',
    openings: 1,
    trials: 4,
    instances: 2,
  })
})

test('sums go place by place and name by name', () => {
  assert.deepEqual(
    summed([
      { a: 1, list: [1, 2] },
      { b: 2, list: [10] },
    ]),
    { a: 1, b: 2, list: [11, 2] },
  )
})

test('sums know names that every object has, like any other', () => {
  const all: readonly Readonly<Record<string, number>>[] = [JSON.parse('{"constructor":1}'), { other: 2 }]
  assert.deepEqual(Object.entries(summed(all)), [
    ['constructor', 1],
    ['other', 2],
  ])
})

test('a mean weighs, and without weights is 0', () => {
  assert.equal(
    mean([
      [1, 3],
      [5, 1],
    ]),
    2,
  )
  assert.equal(mean([[7, 0]]), 0)
})
