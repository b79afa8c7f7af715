import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Attempt } from '../../src/attempt/attempt.ts'
import { Balancer } from '../../src/balancer.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { BalancerOptions } from '../../src/options.ts'
import type { PreparedChange } from '../../src/changes/prepared-change.ts'

const ids = ['a', 'b', 'c', 'd'] as const

interface Listed {
  readonly id: string
  readonly url: string
  readonly weight: number
}

/** What a balancer may be given: sometimes nothing that can be used. */
interface Wanted {
  readonly list: readonly Listed[]
  readonly headers: number
  readonly policy: 'round-robin' | 'p2c' | 'nonsense'
  readonly keepAliveTimeout: number
}

const list = fc.uniqueArray(
  fc.record({ id: fc.constantFrom(...ids), host: fc.constantFrom('x', 'y'), weight: fc.integer({ min: 0, max: 3 }) }),
  { selector: ({ id }) => id, maxLength: 4 },
)
const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    list,
    headers: fc.integer({ min: -1, max: 3 }),
    policy: fc.constantFrom('round-robin' as const, 'p2c' as const, 'nonsense' as const),
    keepAliveTimeout: fc.constantFrom(4000, 5000),
  })
  .map(({ list: listed, ...others }) => ({
    ...others,
    list: listed.map(({ id, host, weight }) => ({ id, url: `http://${id}.${host}.test`, weight })),
  }))

type Step =
  | { readonly kind: 'change'; readonly of: readonly [Wanted, Wanted]; readonly gives: 'commit' | 'abandon' }
  | { readonly kind: 'drain' | 'ready' | 'request'; readonly id: string }
  | { readonly kind: 'byHand'; readonly list: readonly Listed[] }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('change' as const),
    of: fc.tuple(wanted, wanted),
    gives: fc.constantFrom('commit' as const, 'abandon' as const),
  }),
  fc.record({
    kind: fc.constantFrom('drain' as const, 'ready' as const, 'request' as const),
    id: fc.constantFrom(...ids),
  }),
  fc.record({ kind: fc.constant('byHand' as const), list: wanted.map((one) => one.list) }),
)

const optionsOf = ({ list: backends, headers, policy, keepAliveTimeout }: Wanted) =>
  ({ backends: [...backends], timeouts: { headers }, policy, pool: { keepAliveTimeout } }) as BalancerOptions

/** Everything of a balancer that a change may change, or must not. */
function pictureOf(balancer: Balancer) {
  const { options, policy, set, queue } = balancer
  return {
    options,
    policy,
    queue: queue.max,
    revision: set.revision,
    backends: set.all.map((backend) => ({ backend, ...facts(backend), weight: backend.weight, pool: backend.pool })),
  }
}

function facts({ requests, inFlight, state, vetoes }: Backend) {
  return { requests, inFlight, state, vetoes }
}

const isFaulty = ({ list: listed, headers, policy }: Wanted, balancer: Balancer) =>
  headers < 0 ||
  policy === 'nonsense' ||
  listed.some(({ weight }) => weight === 0) ||
  (balancer.backends.some(({ available }) => available) && !listed.some((one) => isUsable(one, balancer)))

function isUsable({ id, url }: Listed, { backends }: Balancer): boolean {
  const kept = backends.find((backend) => backend.id === id && backend.url === url)
  return kept === undefined || kept.available
}

/** An attempt that goes on for ever. */
function request(balancer: Balancer, backend: Backend): void {
  const attempt = { backend, exchange: {}, startedAt: 0, respondedAt: 0, onSweep: () => {} }
  balancer.counts.attemptStarted(attempt as unknown as Attempt)
}

/** One balancer is as it was asked to be, and what stayed has lost nothing. */
function assertChanged(balancer: Balancer, before: ReturnType<typeof pictureOf>, asked: Wanted): void {
  assert.equal(balancer.options.timeouts.headers, asked.headers)
  assert.equal(balancer.policy.name, asked.policy)
  assert.equal(balancer.policy === before.policy, before.policy.name === asked.policy)
  assert.deepEqual(
    balancer.backends.map(({ id, url, weight }) => ({ id, url, weight })),
    asked.list.map(({ id, url, weight }) => ({ id, url, weight })),
  )
  const isSamePool = before.options.pool.keepAliveTimeout === asked.keepAliveTimeout
  for (const { backend, weight: _, pool, ...known } of before.backends) {
    const isKept = asked.list.some(({ id, url }) => id === backend.id && url === backend.url)
    assert.equal(balancer.backends.includes(backend), isKept)
    if (!isKept) continue
    assert.deepEqual(facts(backend), known)
    assert.equal(backend.pool === pool, isSamePool)
    assert.equal(backend.pool.destroyed, false)
    if (isSamePool) assert.equal(pool.destroyed, false)
  }
}

/** Changes both balancers, or neither. */
async function change(
  balancers: readonly [Balancer, Balancer],
  { of, gives }: Extract<Step, { kind: 'change' }>,
): Promise<void> {
  const before = balancers.map(pictureOf)
  const faulty = balancers.map((balancer, index) => isFaulty(of[index]!, balancer))
  const changes: PreparedChange[] = await Promise.all(
    balancers.map((balancer, index) => balancer.prepare(optionsOf(of[index]!))),
  )
  assert.deepEqual(
    changes.map(({ faults }) => faults.length > 0),
    faulty,
  )
  assert.deepEqual(balancers.map(pictureOf), before)
  if (gives === 'commit' && !faulty.includes(true)) {
    for (const one of changes) one.commit()
    for (const [index, balancer] of balancers.entries()) assertChanged(balancer, before[index]!, of[index]!)
    return
  }
  for (const one of changes) one.abandon()
  for (const [index, balancer] of balancers.entries()) {
    const now = pictureOf(balancer)
    assert.deepEqual(now, before[index])
    assert.equal(now.options, before[index]!.options)
  }
}

async function run(balancers: readonly [Balancer, Balancer], one: Step): Promise<void> {
  const [balancer] = balancers
  if (one.kind === 'change') return change(balancers, one)
  if (one.kind === 'byHand') {
    if (one.list.every(({ weight }) => weight > 0)) await balancer.setBackends(one.list, { force: true })
    return
  }
  const backend = balancer.backends.find(({ id }) => id === one.id)
  if (backend === undefined) return
  if (one.kind === 'request') request(balancer, backend)
  else if (one.kind === 'drain') void balancer.drain(backend.id, { deadline: 0 })
  else balancer.ready(backend.id)
}

test('whatever is asked, two balancers change together or not at all, and what stays loses nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const make = () =>
        new Balancer({ backends: [{ id: 'a', url: 'http://a.x.test' }], clock: new ManualClock(), random: () => 0.5 })
      const balancers = [make(), make()] as const
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      for (const one of steps) await run(balancers, one)
      for (const balancer of balancers) await balancer.close()
    }),
    { numRuns: 150 },
  )
})
