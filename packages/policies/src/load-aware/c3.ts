import type { Backend, NamedPolicy, Policy } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { leastOf } from './least-of.ts'
import { Observations } from './observations.ts'
import { faded, Observed } from './observed.ts'
import { reports } from './reports-setting.ts'
import { freshLoad } from '../load-reports/reported-load.ts'

const settings = Type.Object(
  {
    balancers: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1000,
      description: 'How many balancers send requests to the same backends',
    }),
    decay: milliseconds('How fast the past of an unused backend is forgotten: time constant', 5000, 1),
    penalty: milliseconds('The response time that a failure counts as', 5000, 0),
    reports,
  },
  strict,
)

/** What a new value counts for in each average (Elasticsearch, which has C3 as adaptive replica selection). */
const share = 0.3

/** A backend that reports shorter times than this part of what is measured here is not believed. */
const leastOwnTime = 0.1

class ReplicaRank extends Observed {
  readonly #penalty: number
  readonly #decay: number
  #response: number | undefined
  #ownTime = 0
  #queue = 0
  #at = 0

  constructor(backend: Backend, { penalty, decay }: { readonly penalty: number; readonly decay: number }) {
    super(backend)
    this.#penalty = penalty
    this.#decay = decay
  }

  override responded(duration: number, now: number): void {
    const { latency = duration, inFlight = 0, waiting = 0 } = freshLoad(this.report, now)?.report ?? {}
    const own = Math.min(Math.max(latency, leastOwnTime * duration), duration)
    const queue = Math.max(inFlight, waiting)
    const part = this.#response === undefined ? 1 : share
    this.#response = (this.#response ?? 0) + part * (duration - (this.#response ?? 0))
    this.#ownTime += part * (own - this.#ownTime)
    this.#queue += part * (queue - this.#queue)
    this.#at = now
  }

  override failed(now: number): void {
    if (this.#penalty > 0) this.responded(this.#penalty, now)
  }

  override time(now: number): number | undefined {
    return this.#response === undefined ? undefined : faded(this.#response, now - this.#at, this.#decay)
  }

  get ownTime(): number {
    return this.#ownTime
  }

  /** The requests expected there with this one, relative to its weight. */
  queue(balancers: number, meanWeight: number): number {
    return 1 + ((this.backend.load * balancers + this.#queue) * meanWeight) / this.backend.effectiveWeight
  }

  cost(now: number, balancers: number, meanWeight: number): number {
    if (this.#response === undefined) return this.unknownCost(now, meanWeight)
    const queue = this.queue(balancers, meanWeight)
    // Three times as fast as `** 3`.
    const score = this.#response - this.#ownTime + queue * queue * queue * this.#ownTime
    return faded(score, now - this.#at, this.#decay)
  }
}

/**
 * C3 (Suresh et al., NSDI 2015): R − S + q³ × S, the least wins: R is the mean response time, S the mean time that the
 * backend itself needs, q = 1 + requests in flight × balancers + the queue that it reports; the cube keeps queues short.
 * Means take 30 % of each new value (Elasticsearch). Without reports S is R, so that R × q³ counts. The past of an unused
 * backend fades. The paper's rate limit for each backend is left out: `maxInFlight` and the queue are here.
 */
export const c3: NamedPolicy<Static<typeof settings>> = {
  description: 'The one with the least response time × the cube of its queue: C3, Elasticsearch’s choice of replicas',
  settings,
  make(given, parts): Policy {
    const seen = new Observations((backend) => new ReplicaRank(backend, given), given)
    return leastOf('c3', parts, seen, {
      cost: (state, now, meanWeight) => state.cost(now, given.balancers, meanWeight),
      details: (state, now, meanWeight) => ({
        responseTime: state.time(now) ?? null,
        ownTime: state.ownTime,
        queue: state.queue(given.balancers, meanWeight),
      }),
    })
  },
}
