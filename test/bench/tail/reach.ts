import { spread, type Spread } from '../statistics.ts'
import type { TailSample, TailSamples } from './measure.ts'

/** One of ours against the best peer of a scenario, round by round. */
export interface Reach {
  readonly name: string
  /** The name of the peer with the most answers a second, and how many times as many ours had. */
  readonly throughput: { readonly best: string; readonly ratio: Spread }
  /** The name of the peer with the lowest p99, and how many times as high ours was. */
  readonly p99: { readonly best: string; readonly ratio: Spread }
  /** The same, of the 99.9th percentile. */
  readonly p999: { readonly best: string; readonly ratio: Spread }
}

/** What the project wants to reach, as ratios to the best peer. */
export const wanted = {
  /** In scenarios where the load waits for answers, so that they decide how many there are. */
  closed: { throughput: 1.15, p99: 0.4 },
  open: { throughput: 1 / 1.05, p99: 0.7 },
  /** Nowhere worse than that. */
  worst: { throughput: 1 / 1.05, p99: 1.05 },
} as const

type Figure = 'perSecond' | 'p99' | 'p999'

/** Each of ours against the best peers; nothing, where either is missing. */
export function reachOf(samples: TailSamples): Reach[] {
  const entries = [...samples]
  const peers = entries.filter(([{ isPeer }]) => isPeer)
  if (peers.length === 0) return []
  const against = (figure: Figure, sign: 1 | -1, own: readonly TailSample[]) => {
    const [{ name }, theirs] = peers.reduce((one, other) =>
      sign * median(other[1], figure) < sign * median(one[1], figure) ? other : one,
    )
    return { best: name, ratio: spread(own.map((sample, round) => sample[figure] / theirs[round]![figure])) }
  }
  return entries
    .filter(([{ isPeer }]) => !isPeer)
    .map(([{ name }, own]) => ({
      name,
      throughput: against('perSecond', -1, own),
      p99: against('p99', 1, own),
      p999: against('p999', 1, own),
    }))
}

const median = (samples: readonly TailSample[], figure: Figure) =>
  spread(samples.map((sample) => sample[figure])).median
