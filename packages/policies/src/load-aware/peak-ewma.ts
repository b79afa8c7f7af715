import type { Backend, NamedPolicy, Policy } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { PeakTimes } from './response-times.ts'

const settings = Type.Object(
  {
    decay: milliseconds('How long a slow response counts: the time constant of the mean', 10_000, 1),
    penalty: milliseconds('The response time that a failure counts as', 5000, 0),
  },
  strict,
)

/** A backend that has requests and has answered none yet: dear, so that its first requests are few (Finagle). */
const unknownCost = 1e9

/** Cost is the peak mean of response times × (requests in flight + 1), the cheaper of two drawn at random. */
export const peakEwma: NamedPolicy<typeof settings> = {
  description:
    'Of two random ones, the one with the lower response time (moving average, peaks first) × requests in flight',
  settings,
  make({ decay, penalty }, { twoChoices }): Policy {
    const times = new PeakTimes(decay)
    const cost = (backend: Backend) =>
      times.has(backend) || backend.load === 0 ? times.of(backend) * (backend.load + 1) : unknownCost + backend.load
    const policy = twoChoices('peak-ewma', cost)
    return {
      ...policy,
      over: (available) => ({
        ...policy.over(available),
        details: (backend) => ({ responseTime: times.of(backend), load: backend.load }),
      }),
      attach: (balancer) => times.learnFrom(balancer, penalty),
    }
  },
}
