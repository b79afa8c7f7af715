import type { Backend, NamedPolicy, Policy } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { leastOf } from './least-of.ts'
import { Observations } from './observations.ts'
import { Observed } from './observed.ts'
import { reports } from './reports-setting.ts'

const settings = Type.Object(
  {
    to: Type.Union([Type.Literal('first-byte'), Type.Literal('last-byte')], {
      default: 'first-byte',
      description:
        'Where a response time ends: at the response headers, or at the end of the body; of event streams, gRPC and tunnels always at the headers',
    }),
    inflight: Type.Boolean({
      default: false,
      description: 'Count requests that have not been answered: their mean age, if that is longer than the average',
    }),
    halving: milliseconds('A backend without requests counts as twice as fast after each of these', 10_000, 1),
    penalty: milliseconds('The response time that a failure counts as', 5000, 0),
    reports,
  },
  strict,
)

/** What of the old average stays with each response (nginx). */
const kept = 0.95

/** Longer times are not told apart (nginx, in ms): load alone decides then. */
const longest = 5000

interface Rule {
  readonly inflight: boolean
  readonly halving: number
  readonly penalty: number
}

class AverageTime extends Observed {
  readonly #rule: Rule
  #average: number | undefined

  constructor(backend: Backend, rule: Rule) {
    super(backend)
    this.#rule = rule
  }

  override responded(duration: number): void {
    this.#average = this.#average === undefined ? duration : kept * this.#average + (1 - kept) * duration
  }

  override failed(): void {
    if (this.#rule.penalty > 0) this.responded(this.#rule.penalty)
  }

  override time(now: number): number | undefined {
    if (this.#average === undefined) return undefined
    const { inflight, halving } = this.#rule
    const unused = now - this.usedAt
    const average = unused < halving ? this.#average : this.#average / 2 ** Math.floor(unused / halving)
    return Math.min(inflight ? Math.max(average, this.waitingAge(now)) : average, longest)
  }
}

/**
 * nginx's `least_time` (NGINX Plus, and `ngx_http_upstream_least_time_module.c`): average response time (95 % old, 5 %
 * new) × (1 + load relative to weight); ties take turns. A backend that gets no requests counts as twice as fast every
 * 10 s. Unlike nginx, times are not rounded up to 20 ms, which made tails longer in most simulated loads, failures count
 * as long times, and a new backend gets one request at a time until it has answered.
 */
export const leastTime: NamedPolicy<Static<typeof settings>> = {
  description: 'The one with the least average response time × requests in flight, as in nginx `least_time`',
  settings,
  make(given, parts): Policy {
    const seen = new Observations((backend) => new AverageTime(backend, given), given)
    return leastOf('least-time', parts, seen, {
      cost(state, now, meanWeight) {
        const time = state.time(now)
        return time === undefined ? state.unknownCost(now, meanWeight) : state.costAt(time, now, meanWeight)
      },
      details: (state, now) => ({
        responseTime: state.time(now) ?? null,
        waitingAge: state.waitingAge(now),
        load: state.load(now),
      }),
    })
  },
}
