import type { Attempt, Veto } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { listOf, Simulated } from '../load-aware/simulated.ts'

/** What may happen to a balancer. */
export type Step =
  | { readonly do: 'ask' | 'rest'; readonly times: number }
  | { readonly do: 'answer'; readonly index: number; readonly status: number; readonly report: string | undefined }
  | { readonly do: 'fail'; readonly index: number }
  | { readonly do: 'leave'; readonly index: number }
  | { readonly do: 'lift' | 'veto' | 'remove' | 'warm'; readonly index: number }
  | { readonly do: 'weigh'; readonly index: number; readonly weight: number }
  | { readonly do: 'add' }

const index = fc.nat({ max: 99 })
const reports = [
  undefined,
  'TEXT named_metrics.requests_in_flight=0, named_metrics.latency_ms=0',
  'TEXT named_metrics.requests_in_flight=1e300, cpu_utilization=NaN',
  'JSON {"named_metrics": {"num_requests_waiting": 7, "latency_ms": -1}, "cpu_utilization": 0.9}',
  'JSON {"named_metrics":',
  `TEXT ${'x'.repeat(5000)}=1`,
]
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), times: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      index,
      status: fc.constantFrom(200, 200, 200, 404, 500, 501, 503),
      report: fc.constantFrom(...reports),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('rest' as const), times: fc.integer({ min: 0, max: 20_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant('fail' as const), index }),
      fc.record({ do: fc.constant('leave' as const), index }),
    ),
  },
  fc.record({ do: fc.constantFrom('lift' as const, 'veto' as const, 'remove' as const, 'warm' as const), index }),
  fc.record({ do: fc.constant('weigh' as const), index, weight: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ do: fc.constant('add' as const) }),
)

/** A balancer to which steps are applied; before each request it is checked what must hold. */
export class Play {
  readonly #simulated: Simulated
  readonly #running: Attempt[] = []
  readonly #vetoes: Veto[] = []
  #added = 0

  constructor(name: string, size: number) {
    const ids = Array.from({ length: size }, (_, at) => `b${at}`)
    this.#simulated = new Simulated({ name, reports: true }, listOf(...ids), { slowStart: 5000 })
  }

  async apply(one: Step): Promise<void> {
    const { balancer, clock } = this.#simulated
    const backend = 'index' in one ? balancer.backends[one.index % balancer.backends.length]! : undefined
    switch (one.do) {
      case 'ask':
        for (let turn = 0; turn < one.times; turn++) this.#ask()
        break
      case 'rest':
        clock.advance(one.times)
        break
      case 'fail':
      case 'leave':
      case 'answer':
        this.#end(one)
        break
      case 'veto':
        this.#vetoes.push(balancer.veto(backend!, { by: 'test', reason: 'x', hard: true }))
        break
      case 'lift':
        this.#vetoes.pop()?.lift()
        break
      case 'warm':
        balancer.warmUp(backend!)
        break
      case 'weigh':
        await balancer.update(backend!.id, { weight: one.weight })
        break
      case 'add':
        await balancer.add({ url: `http://new${this.#added++}.test` })
        break
      case 'remove':
        if (balancer.backends.length > 1) await balancer.remove(backend!.id, { force: true })
    }
  }

  #ask(): void {
    const { balancer } = this.#simulated
    const told = balancer.explain()
    assert.deepEqual(balancer.explain(), told, 'looking changes nothing')
    for (const { score, available } of told.backends) if (available) assert.ok(score !== null && score >= 0)
    const attempt = this.#simulated.request()
    assert.equal(attempt?.backend.id ?? null, told.picked)
    if (attempt === undefined) assert.equal(balancer.set.available.length, 0)
    else {
      assert.ok(balancer.set.available.includes(attempt.backend))
      this.#running.push(attempt)
    }
  }

  #end(step: Extract<Step, { readonly do: 'fail' } | { readonly do: 'leave' } | { readonly do: 'answer' }>): void {
    if (this.#running.length === 0) return
    const attempt = this.#running.splice(step.index % this.#running.length, 1)[0]!
    if (step.do === 'fail') this.#simulated.fail(attempt)
    else if (step.do === 'leave') attempt.cancel('client-gone')
    else {
      const headers: Record<string, string> = step.report === undefined ? {} : { 'endpoint-load-metrics': step.report }
      this.#simulated.answer(attempt, step.status, headers)
      assert.equal(headers['endpoint-load-metrics'], undefined)
    }
  }

  /** Everything is answered: nothing is left that waits. */
  finish(): void {
    const { balancer, clock } = this.#simulated
    for (const attempt of this.#running) this.#simulated.answer(attempt)
    clock.advance(1000)
    for (const { inFlight, details } of balancer.explain().backends) {
      assert.equal(inFlight, 0)
      assert.equal(details?.['silence'] ?? 0, 0)
      assert.equal(details?.['waitingAge'] ?? 0, 0)
    }
  }
}
