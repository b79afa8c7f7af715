import type { Observation } from '../observed/observation.ts'
import { latencyLimit } from './latency-rule.ts'
import { inWords, percent } from './offences.ts'
import type { OutlierOptions } from './outlier-options.ts'
import { successRateLimit } from './success-rate.ts'

/** A backend counts as unhealthy here if it failed this many requests of the last interval, and this share of them. */
const leastFailures = 3
const leastShare = 0.1

/** With fewer responses it is not known how fast it is. */
const leastResponses = 3

const shareOf = ({ counts: { ended } }: Observation) => 1 - ended.failures / ended.attempts

/** What there is to compare at the end of an interval: the backends with enough requests in it, and with enough responses. */
class Comparison {
  readonly rated: readonly Observation[]
  /** In rising order. */
  readonly p90s: readonly number[]

  constructor(judged: readonly Observation[], { successRate, latency }: OutlierOptions) {
    this.rated = judged.filter(({ counts }) => counts.ended.attempts >= successRate.minimumVolume)
    const measured = judged.filter(({ counts }) => counts.measured >= latency.minimumVolume)
    this.p90s = measured.map(({ counts }) => counts.p90!).sort((a, b) => a - b)
  }
}

/** `12 of 40 requests failed, but …`; undefined if it fails too little. */
function ofFailures(
  { counts, consecutive }: Observation,
  { rated }: Comparison,
  { successRate, consecutive: limits }: OutlierOptions,
): string | undefined {
  const { attempts, failures } = counts.ended
  if (failures < leastFailures || failures < leastShare * attempts) return undefined
  const { stdev, minimumBackends, minimumVolume } = successRate
  const what = `${failures} of ${attempts} requests failed in the last interval`
  const row = limits.failures === 0 ? '' : `; ${consecutive.failures} in a row, ${limits.failures} would eject it`
  const because = (why: string) => `${what}, but ${why}${row}`
  if (stdev === 0) return because('success rates are not compared (successRate is off)')
  if (attempts < minimumVolume) return because(`success rates are compared from ${minimumVolume} requests on`)
  if (rated.length < minimumBackends)
    return because(
      `only ${rated.length} of the ${minimumBackends} backends that a comparison needs had ${minimumVolume} requests`,
    )
  const { mean, limit } = successRateLimit(rated.map(shareOf), stdev)
  return because(`the others are hardly better (mean ${percent(mean)}): below ${percent(limit)} it would be ejected`)
}

/** `p90 900 ms, 9.0 × the median of its peers (100 ms), but …`; undefined if it is as fast as others, or nothing is known. */
function ofSlowness({ counts }: Observation, { p90s }: Comparison, { latency }: OutlierOptions): string | undefined {
  const { measured, p90 } = counts
  if (latency.factor === 0 || p90 === undefined || measured < leastResponses) return undefined
  const hasVolume = measured >= latency.minimumVolume
  const limit = latencyLimit(p90s, hasVolume ? p90 : undefined, { ...latency, minimumBackends: 2 })
  if (limit === undefined || p90 <= limit.limit) return undefined
  const what = `p90 ${inWords(p90)}, ${(p90 / limit.median).toFixed(1)} × the median of its peers (${inWords(limit.median)})`
  if (!hasVolume) return `${what}, but with ${measured} responses: it is judged from ${latency.minimumVolume} on`
  if (p90s.length >= latency.minimumBackends) return undefined
  const needed = `${p90s.length} of the ${latency.minimumBackends} backends that a comparison needs`
  return `${what}, but only ${needed} had ${latency.minimumVolume} responses`
}

/**
 * Why unhealthy backends give no reason to eject them: there were too few requests, or too few backends to compare with, or the
 * others are no better. For the backends of `asked`, at the end of an interval; `judged` are all that are not out.
 */
export function shortfalls(
  asked: readonly Observation[],
  judged: readonly Observation[],
  options: OutlierOptions,
): readonly { readonly observation: Observation; readonly reason: string | undefined }[] {
  const comparison = new Comparison(judged, options)
  return asked.map((observation) => ({
    observation,
    reason: ofFailures(observation, comparison, options) ?? ofSlowness(observation, comparison, options),
  }))
}
