import {
  Balancer,
  corePolicies,
  type Backend,
  type PickRequest,
  type PolicyOption,
  type Veto,
} from '@fastify-balancer/balancer-core'
import { policies as furtherPolicies } from '@fastify-balancer/policies'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { demanded } from '../../packages/policies/test/demanded.ts'
import { ManualClock } from '../support/clock.ts'

const policies = { ...corePolicies, ...furtherPolicies }

/** The same numbers for one seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

const index = fc.nat(7)
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pick' as const), user: fc.nat(20), count: fc.nat(6) }) },
  fc.record({ kind: fc.constant('end' as const), index }),
  fc.record({ kind: fc.constant('veto' as const), index, hard: fc.boolean() }),
  fc.record({ kind: fc.constant('lift' as const), index }),
  fc.record({
    kind: fc.constant('update' as const),
    index,
    weight: fc.integer({ min: 1, max: 20 }),
    priority: fc.nat(1),
  }),
  fc.record({ kind: fc.constant('remove' as const), index }),
  fc.record({ kind: fc.constant('add' as const), index, weight: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('warm' as const), index, part: fc.constantFrom(0.1, 0.5, 1) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 100, 20_000) }),
)

const listed = (number: number, weight = 1) => ({
  url: `http://b${number}.test`,
  id: `b${number}`,
  weight,
  maxInFlight: 4,
  zone: number % 2 === 0 ? 'even' : 'odd',
  tags: number % 3 === 0 ? ['canary'] : [],
})

function requestOf(user: number): PickRequest {
  return {
    method: 'GET',
    url: `/${user}?user=${user}`,
    headers: { 'x-user': `user-${user}`, cookie: `user=${user}` },
    address: `192.0.2.${user}`,
  }
}

/** A balancer, with what has been done to it. */
class Stage {
  readonly clock = new ManualClock()
  readonly balancer: Balancer
  readonly #vetoes = new Map<Backend, Veto>()

  constructor(policy: PolicyOption) {
    this.balancer = new Balancer(
      {
        backends: [0, 1, 2, 3, 4].map((number) => listed(number)),
        policy,
        clock: this.clock,
        random: seeded(5),
        panicThreshold: false,
      },
      undefined,
      policies,
    )
  }

  backend(position: number): Backend | undefined {
    return this.balancer.backends.find(({ id }) => id === `b${position}`)
  }

  pick(request: PickRequest): Backend | 'saturated' | 'none' {
    const exchange = { ...request, attempts: [], clock: this.clock }
    const answer = this.balancer.pick(exchange as unknown as Parameters<Balancer['pick']>[0])
    return typeof answer === 'object' ? answer.backend : answer
  }

  /** Picks once, and checks that it was right. */
  check(request: PickRequest): void {
    const { balancer } = this
    const told = balancer.explain(request)
    assert.equal(balancer.explain(request).picked, told.picked, 'explain changes nothing')
    const picked = this.pick(request)
    const usable = balancer.backends.filter(({ available }) => available)
    if (typeof picked === 'string') {
      assert.equal(told.picked, null)
      const best = Math.min(...usable.map(({ priority }) => priority))
      const preferred = usable.filter(({ priority }) => priority === best)
      // Canaries, without a share.
      const open = preferred.filter((one) => !balancer.picking.refuses(one, request as never))
      assert.equal(open.length > 0, preferred.length > 0, 'there is one that may get it')
      assert.ok(
        open.every(({ inFlight, maxInFlight }) => inFlight >= maxInFlight),
        'nobody gets it only if all that may get it are full',
      )
      assert.equal(picked, usable.length === 0 ? 'none' : 'saturated')
      return
    }
    assert.ok(usable.includes(picked), `${picked.id} may be used`)
    assert.ok(picked.inFlight < picked.maxInFlight, `${picked.id} has room`)
    assert.equal(told.picked, picked.id, 'explain says where it goes')
    picked.inFlight++
  }

  async apply(done: typeof event extends fc.Arbitrary<infer Event> ? Event : never): Promise<void> {
    const { balancer } = this
    if (done.kind === 'pick') {
      for (let count = 0; count <= done.count; count++) this.check(requestOf(done.user))
      return
    }
    if (done.kind === 'time') return this.clock.advance(done.ms)
    const backend = this.backend(done.index)
    if (done.kind === 'add') {
      if (backend === undefined) await balancer.add(listed(done.index, done.weight))
      return
    }
    if (backend === undefined) return
    if (done.kind === 'end') backend.inFlight = Math.max(0, backend.inFlight - 1)
    else if (done.kind === 'veto') {
      if (!this.#vetoes.has(backend))
        this.#vetoes.set(backend, balancer.veto(backend, { by: 'test', reason: 'down', hard: done.hard }))
    } else if (done.kind === 'lift') {
      this.#vetoes.get(backend)?.lift()
      this.#vetoes.delete(backend)
    } else if (done.kind === 'warm') {
      backend.warm(done.part)
      const veto = balancer.veto(backend, { by: 'test-warm', reason: 'the set is built again' })
      veto.lift()
    } else if (done.kind === 'update')
      await balancer.update(backend.id, { weight: done.weight, priority: done.priority })
    else {
      backend.inFlight = 0
      await balancer.remove(backend.id, { force: true })
    }
  }
}

describe('whatever happens to weights, vetoes, the set and slow start', () => {
  for (const [name, { settings }] of Object.entries(policies))
    test(`${name} picks only what may be used and has room, and explain says it before`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 40 }), async (events) => {
          const stage = new Stage({ name, ...demanded(settings) } as PolicyOption)
          for (const done of events) await stage.apply(done)
          for (const backend of stage.balancer.backends) backend.inFlight = 0
          await stage.balancer.close()
        }),
        { seed: 20_261_130, numRuns: 80 },
      )
    })
})
