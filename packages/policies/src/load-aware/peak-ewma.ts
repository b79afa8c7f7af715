import type { Backend, NamedPolicy, Picker, Policy } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { Cheapest } from './cheapest.ts'
import { meanWeightOf } from './mean-weight.ts'
import { Observations } from './observations.ts'
import { PeakTime } from './peak-time.ts'
import { reports } from './reports-setting.ts'

const settings = Type.Object(
  {
    average: milliseconds('Time constant of the moving average of response times', 300, 1),
    decay: milliseconds('How fast the past of an unused backend is forgotten: time constant', 5000, 1),
    penalty: milliseconds('The response time that a failure counts as', 5000, 0),
    peaks: Type.Union([Type.Literal('silence'), Type.Literal('response')], {
      default: 'silence',
      description:
        'What raises the average at once: a backend that has requests and sends nothing, or each response slower than the average',
    }),
    reports,
  },
  strict,
)

/** In sets up to this size all backends are compared; in larger ones, two that are drawn. */
const mostCompared = 16

/**
 * Cost is response time × (1 + load relative to weight), as in "Peak EWMA" of tower, Finagle and Envoy: a moving average
 * of the times to response headers, which fades while the backend is unused, failures counted as long ones (Linkerd's
 * 5 s), and a new backend gets one request at a time until it has answered (Finagle).
 *
 * Departures, each found better by simulation of six loads (`peaks: 'response', average: 10000, decay: 10000` is close
 * to tower's rule):
 * - The peak is silence. In tower each response that is slower than the average replaces it; among exponential or
 *   heavy-tailed times the average is then about the longest of 10 s, which is mostly chance. Here the time since a
 *   backend with waiting requests was last heard of counts if it is longer, so that a stuck one is avoided before it
 *   answers.
 * - The average follows 0.3 s, no response counts for more than 30 % of it, nor as more than 5 × the average.
 * - Up to 16 backends are all compared; costs within 2 % are equal, and drawn by weight.
 */
export const peakEwma: NamedPolicy<Static<typeof settings>> = {
  description: 'The one with the least response time (moving average, silence counted) × requests in flight',
  settings,
  make(given, { draws, twoChoices }): Policy {
    const seen = new Observations((backend) => new PeakTime(backend, given), given)
    const numbers = draws()
    let meanWeight = 1
    const ofTwo = twoChoices(
      'peak-ewma',
      (backend) => seen.of(backend).cost(seen.now(), meanWeight) * backend.effectiveWeight,
    )

    function compared(available: readonly Backend[]): Pick<Picker, 'pick' | 'peek'> {
      const cheapest = new Cheapest(available, numbers)
      const states = available.map((backend) => seen.of(backend))
      let now = 0
      const costOf = (index: number) => states[index]!.cost(now, meanWeight)
      return {
        pick() {
          now = seen.now()
          return cheapest.pick(costOf)
        },
        peek(_request, ahead = 0) {
          now = seen.now()
          return cheapest.peek(costOf, ahead)
        },
      }
    }

    return {
      name: 'peak-ewma',
      over(available): Picker {
        meanWeight = meanWeightOf(available)
        const isSmall = available.length <= mostCompared
        const { pick, peek } = isSmall ? compared(available) : ofTwo.over(available)
        return {
          pick,
          peek,
          score: (backend) => seen.of(backend).cost(seen.now(), meanWeight),
          details(backend) {
            const now = seen.now()
            const state = seen.of(backend)
            return { responseTime: state.time(now) ?? null, silence: state.silence(now), load: state.load(now) }
          },
          basis: () => ({ compared: isSmall ? available.length : 2 }),
        }
      },
      attach: (balancer) => seen.attach(balancer),
    }
  },
}
