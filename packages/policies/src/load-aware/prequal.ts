import type { Backend, NamedPolicy, Picker, Policy } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { LatencyAtLoad } from './latency-at-load.ts'
import { meanWeightOf } from './mean-weight.ts'
import { Observations } from './observations.ts'
import { mostProbes, ProbePool } from './probe-pool.ts'
import { reports } from './reports-setting.ts'

const settings = Type.Object(
  {
    quantile: Type.Number({
      default: 0.84,
      minimum: 0,
      maximum: 1,
      description:
        'Backends whose load is above this quantile are hot, and used only if all are; 0 = load alone counts',
    }),
    penalty: milliseconds('The response time that a failure counts as', 5000, 0),
    reports,
  },
  strict,
)

/** Probes drawn for each request. */
const drawn = 3

/**
 * How often a probe may be used: Prequal's b_reuse, with one removal for each request. Without a limit where a pool can hold
 * nearly all backends.
 */
function usesOf(count: number): number {
  const surplus = (1 - mostProbes / count) * drawn - 1
  return surplus <= 0 ? Infinity : Math.max(1, 2 / surplus)
}

/** The response time to expect (ms). A backend that has answered nothing yet gets one request after the other. */
function timeOf(state: LatencyAtLoad, now: number): number {
  return state.time(now) ?? (state.backend.inFlight === 0 ? 0 : Infinity)
}

/**
 * Prequal (Wydrowski et al., NSDI 2024) without probes over the network: for each request three backends are drawn, by
 * weight, and what this balancer knows of them goes into the pool: requests in flight, with those of other balancers if
 * the backend reports them, and the response time at that load, by the load at arrival. Constants are the paper's; the
 * paper's median of recent times is a mean of 30 % of each new one here.
 */
export const prequal: NamedPolicy<Static<typeof settings>> = {
  description:
    'Of a pool of backends that are not hot (requests in flight), the one with the least response time: Prequal',
  settings,
  make(given, { draws, weightLine }): Policy {
    const seen = new Observations((backend) => new LatencyAtLoad(backend, given.penalty), given)
    const numbers = draws()
    const pool = new ProbePool(given.quantile)
    const next = () => numbers.next()
    let meanWeight = 1

    const loadOf = (state: LatencyAtLoad, now: number) => (state.load(now) * meanWeight) / state.backend.effectiveWeight

    return {
      name: 'prequal',
      over(available): Picker {
        meanWeight = meanWeightOf(available)
        const states = available.map((backend) => seen.of(backend))
        const line = weightLine(available)
        const uses = usesOf(available.length)
        pool.keep(new Set(available))

        function choose(from: ProbePool, number: () => number): Backend | undefined {
          if (states.length === 0) return undefined
          const now = seen.now()
          from.expire(now)
          const most = Math.floor(uses + number())
          let last = states[0]!
          for (let count = 0; count < drawn; count++) {
            last = states[line.drawn(number())]!
            from.add({ backend: last.backend, at: now, load: loadOf(last, now), time: timeOf(last, now), uses: most })
          }
          if (from.size < 2) return last.backend
          const best = from.use()
          if (states.length > mostProbes) from.removeOne()
          return best
        }

        return {
          pick: () => choose(pool, next),
          peek(_request, ahead = 0) {
            const copy = pool.copy()
            let taken = 0
            const later = () => numbers.peek(taken++)
            for (let step = 0; step < ahead; step++) choose(copy, later)
            return choose(copy, later)
          },
          score: (backend) => timeOf(seen.of(backend), seen.now()),
          details(backend) {
            const now = seen.now()
            const state = seen.of(backend)
            return { responseTime: state.time(now) ?? null, load: loadOf(state, now) }
          },
          basis: () => ({ pool: pool.size, hotAbove: pool.size === 0 ? null : pool.hotAbove() }),
        }
      },
      attach: (balancer) => seen.attach(balancer),
    }
  },
}
