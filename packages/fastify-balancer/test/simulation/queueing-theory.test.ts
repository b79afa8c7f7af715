import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { simulate, type SimulationOptions } from '../../src/simulation/simulate.ts'

/** Nothing but the policy decides, and what is measured has forgotten that all was empty at first. */
const plain = { balancer: { healthCheck: false, circuitBreaker: false }, warmUp: 1000 } as const

/** Runs with these seeds; what is known exactly must lie within the error of their mean. */
const seeds = Array.from({ length: 16 }, (_, index) => index + 1)

/** Beyond so many standard errors lies one mean of 2000, by Student's distribution with 15 degrees of freedom. */
const mostErrors = 4

/** The mean latency of all runs, and its standard error. */
async function meanOf(options: SimulationOptions) {
  const figures: number[] = []
  for (const seed of seeds) {
    const { runs } = await simulate({ ...plain, ...options, seed })
    figures.push(runs[0]!.latency.mean)
  }
  const mean = figures.reduce((sum, one) => sum + one, 0) / figures.length
  const variance = figures.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (figures.length - 1)
  return { mean, error: Math.sqrt(variance / figures.length) }
}

function assertIs({ mean, error }: { mean: number; error: number }, exact: number): void {
  assert.ok(error < exact / 30, `the error ${error} is small enough to say something about ${exact}`)
  assert.ok(Math.abs(mean - exact) < mostErrors * error, `${mean} ± ${error} is ${exact}`)
}

/** The probability that one has to wait with so many places and `load` of them busy on average: Erlang's C. */
function erlangC(places: number, load: number): number {
  // Erlang's B, place by place.
  let blocked = 1
  for (let place = 1; place <= places; place++) blocked = (load * blocked) / (place + load * blocked)
  return blocked / (1 - (load / places) * (1 - blocked))
}

describe('what queueing theory knows exactly', () => {
  test('one place, Poisson arrivals, exponential service (M/M/1): 1 / (μ - λ)', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, service: { mean: 2 } }],
      arrivals: { rate: 300 },
      duration: 21_000,
    })
    assertIs(measured, 1000 / (500 - 300))
  })

  test('a bounded Pareto distribution has the mean that it is given, and its bound', async () => {
    const { runs } = await simulate({
      ...plain,
      backends: [{ slots: 1000, service: { distribution: 'pareto', mean: 10, shape: 1.5, range: 100 } }],
      arrivals: { rate: 2000 },
      duration: 17_000,
    })
    const { latency, completed } = runs[0]!
    // By its density: the least, and the second moment, of which the error of the mean is made.
    const part = 1 - 100 ** -1.5
    const least = ((10 / 3) * part) / (1 - 100 ** -0.5)
    const second = ((1.5 / 0.5) * least ** 1.5 * ((100 * least) ** 0.5 - least ** 0.5)) / part
    assertIs({ mean: latency.mean, error: Math.sqrt((second - 100) / (completed * 0.9)) }, 10)
    assert.ok(latency.max <= 100 * least && latency.max > 50 * least, `${latency.max} of ${100 * least}`)
  })

  test('one place, constant service (M/D/1): half of the waiting time', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, service: { distribution: 'constant', mean: 2 } }],
      arrivals: { rate: 300 },
      duration: 9000,
    })
    assertIs(measured, 2 + (0.5 * 0.6 * 2) / 0.4)
  })

  test('several places (M/M/c): waiting by Erlang C', async () => {
    const measured = await meanOf({
      backends: [{ slots: 5, service: { mean: 10 } }],
      arrivals: { rate: 400 },
      duration: 9000,
    })
    assertIs(measured, 10 + (erlangC(5, 4) * 10) / (5 - 4))
  })

  test('the queue of the balancer before places (maxInFlight) is the same queue', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, maxInFlight: 1, service: { mean: 10 }, count: 5 }],
      policy: 'round-robin',
      arrivals: { rate: 400 },
      duration: 7000,
    })
    assertIs(measured, 10 + (erlangC(5, 4) * 10) / (5 - 4))
  })

  test('random splitting makes a queue of its own of each backend: M/M/1 with its part', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, service: { mean: 2 }, count: 3 }],
      policy: 'random',
      arrivals: { rate: 750 },
      duration: 6000,
    })
    assertIs(measured, 1000 / (500 - 250))
  })

  test('a closed loop (N clients, thinking time Z, constant service D, no queue): N / (D + Z)', async () => {
    const { runs } = await simulate({
      ...plain,
      backends: [{ slots: 8, service: { distribution: 'constant', mean: 5 } }],
      arrivals: { clients: 8, think: 15 },
      duration: 11_000,
    })
    // Each client has all its cycles of 20 ms in 10 s.
    assert.equal(runs[0]!.throughput, 400)
    assert.deepEqual([runs[0]!.latency.mean.toFixed(6), runs[0]!.latency.p50.toFixed(6)], ['5.000000', '5.000000'])
  })

  test('a network adds its round trip', async () => {
    const { runs } = await simulate({
      ...plain,
      backends: [{ slots: 8, service: { distribution: 'constant', mean: 5 }, delay: 3 }],
      arrivals: { clients: 8, think: 2 },
      duration: 6000,
    })
    assert.equal(runs[0]!.latency.max.toFixed(6), '8.000000')
    assert.equal(runs[0]!.throughput, 800)
  })

  /** A quantile that is known, in percent, and how many of all draws lie within 1 ms around it: the density there. */
  interface Known {
    readonly percent: 50 | 99
    readonly exact: number
    readonly density: number
  }
  const phi = (z: number) => Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI)
  const normal = (percent: 50 | 99, z: number): Known => {
    const exact = 10 * Math.exp(z - 0.5)
    return { percent, exact, density: phi(z) / exact }
  }
  const distributions: Readonly<Record<'exponential' | 'pareto' | 'lognormal', readonly Known[]>> = {
    exponential: [
      { percent: 50, exact: 10 * Math.log(2), density: 0.05 },
      { percent: 99, exact: 10 * Math.log(100), density: 0.001 },
    ],
    // Of shape 2, and so from 5 ms on: P(X > x) is 25 / x².
    pareto: [
      { percent: 50, exact: 5 * Math.SQRT2, density: 50 / (5 * Math.SQRT2) ** 3 },
      { percent: 99, exact: 50, density: 50 / 50 ** 3 },
    ],
    lognormal: [normal(50, 0), normal(99, 2.3263478740408408)],
  }

  for (const [distribution, quantiles] of Object.entries(distributions))
    test(`service times have the quantiles of the distribution: ${distribution}`, async () => {
      const { runs } = await simulate({
        ...plain,
        backends: [{ slots: 1000, service: { distribution: distribution as keyof typeof distributions, mean: 10 } }],
        arrivals: { rate: 2000 },
        duration: 17_000,
      })
      const { latency, completed } = runs[0]!
      for (const { percent, exact, density } of quantiles) {
        const part = percent / 100
        // The asymptotic standard error of a quantile of a sample.
        const error = Math.sqrt((part * (1 - part)) / (completed * 0.88)) / density
        const measured = latency[`p${percent}`]
        assert.ok(Math.abs(measured - exact) < mostErrors * error, `p${percent}: ${measured} ± ${error} is ${exact}`)
      }
    })
})
