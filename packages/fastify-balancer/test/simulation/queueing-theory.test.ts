import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { simulate, type SimulationOptions } from '../../src/simulation/simulate.ts'

/** Nothing but the policy decides, and what is measured has forgotten that all was empty at first. */
const plain = { balancer: { healthCheck: false, circuitBreaker: false }, warmUp: 2000 } as const

/** Runs with these seeds; what is known exactly must lie within the error of their mean. */
const seeds = Array.from({ length: 16 }, (_, index) => index + 1)

/** Beyond so many standard errors lies one mean of 2000, by Student's distribution with 15 degrees of freedom. */
const mostErrors = 4

/** The mean of what each run says, and its standard error. */
async function meanOf(options: SimulationOptions, figure: 'mean' | 'throughput' = 'mean') {
  const figures: number[] = []
  for (const seed of seeds) {
    const { runs } = await simulate({ ...plain, ...options, seed })
    figures.push(figure === 'mean' ? runs[0]!.latency.mean : runs[0]!.throughput)
  }
  const mean = figures.reduce((sum, one) => sum + one, 0) / figures.length
  const variance = figures.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (figures.length - 1)
  return { mean, error: Math.sqrt(variance / figures.length) }
}

function assertIs({ mean, error }: { mean: number; error: number }, exact: number): void {
  assert.ok(error < exact / 50, `the error ${error} is small enough to say something about ${exact}`)
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
      duration: 42_000,
    })
    assertIs(measured, 1000 / (500 - 300))
  })

  test('one place, constant service (M/D/1): half of the waiting time', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, service: { distribution: 'constant', mean: 2 } }],
      arrivals: { rate: 300 },
      duration: 32_000,
    })
    assertIs(measured, 2 + (0.5 * 0.6 * 2) / 0.4)
  })

  test('several places (M/M/c): waiting by Erlang C', async () => {
    const measured = await meanOf({
      backends: [{ slots: 5, service: { mean: 10 } }],
      arrivals: { rate: 400 },
      duration: 32_000,
    })
    assertIs(measured, 10 + (erlangC(5, 4) * 10) / (5 - 4))
  })

  test('the queue of the balancer before places (maxInFlight) is the same queue', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, maxInFlight: 1, service: { mean: 10 }, count: 5 }],
      policy: 'round-robin',
      arrivals: { rate: 400 },
      duration: 22_000,
    })
    assertIs(measured, 10 + (erlangC(5, 4) * 10) / (5 - 4))
  })

  test('random splitting makes a queue of its own of each backend: M/M/1 with its part', async () => {
    const measured = await meanOf({
      backends: [{ slots: 1, service: { mean: 2 }, count: 3 }],
      policy: 'random',
      arrivals: { rate: 750 },
      duration: 22_000,
    })
    assertIs(measured, 1000 / (500 - 250))
  })

  test('a closed loop (N clients, thinking time Z, constant service D, no queue): N / (D + Z)', async () => {
    const { runs } = await simulate({
      ...plain,
      backends: [{ slots: 8, service: { distribution: 'constant', mean: 5 } }],
      arrivals: { clients: 8, think: 15 },
      duration: 12_000,
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
      duration: 12_000,
    })
    assert.equal(runs[0]!.latency.max.toFixed(6), '8.000000')
    assert.equal(runs[0]!.throughput, 800)
  })

  for (const [distribution, p50, p99] of [
    ['exponential', 10 * Math.log(2), 10 * Math.log(100)],
    ['pareto', 5 * Math.SQRT2, 5 * 10],
    ['lognormal', 10 * Math.exp(-0.5), 10 * Math.exp(-0.5 + 2.3263478740408408)],
  ] as const)
    test(`service times have the quantiles of the distribution: ${distribution}`, async () => {
      const { runs } = await simulate({
        ...plain,
        backends: [{ slots: 1000, service: { distribution, mean: 10 } }],
        arrivals: { rate: 2000 },
        duration: 32_000,
      })
      const { latency, arrived } = runs[0]!
      // The share of n draws that do not exceed a quantile q deviates by sqrt(q (1 - q) / n): the value at q plus and
      // minus four of these brackets the one that was measured.
      const near = (percent: number) =>
        (400 * Math.sqrt((percent / 100) * (1 - percent / 100))) / Math.sqrt(arrived * 0.9)
      const exact = {
        exponential: (percent: number) => -10 * Math.log(1 - percent / 100),
        pareto: (percent: number) => 5 / Math.sqrt(1 - percent / 100),
        lognormal: undefined,
      }[distribution]
      for (const [percent, measured, known] of [
        [50, latency.p50, p50],
        [99, latency.p99, p99],
      ] as const) {
        const [low, high] =
          exact === undefined
            ? [known * 0.93, known * 1.07]
            : [exact(percent - near(percent)), exact(percent + near(percent))]
        assert.ok(low < measured && measured < high, `${distribution} p${percent}: ${low} < ${measured} < ${high}`)
      }
    })
})
