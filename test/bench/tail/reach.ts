import { spread, type Spread } from '../statistics.ts'
import type { TailSample, TailSamples } from './measure.ts'
import type { TailSubject } from './subjects.ts'

/** One of ours against the best peer of a scenario, round by round. */
export interface Reach {
  readonly name: string
  /** The name of the peer with the most answers a second, and how many times as many ours had. */
  readonly throughput: { readonly best: string; readonly ratio: Spread }
  /** The name of the peer with the lowest p99, and how many times as high ours was. */
  readonly p99: { readonly best: string; readonly ratio: Spread }
}

/** What the project wants to reach, as ratios to the best peer. */
export const wanted = {
  /** In scenarios where the load waits for answers, so that they decide how many there are. */
  closed: { throughput: 1.15, p99: 0.4 },
  open: { throughput: 1 / 1.05, p99: 0.7 },
  /** Nowhere worse than that. */
  worst: { throughput: 1 / 1.05, p99: 1.05 },
} as const

type Entry = readonly [TailSubject, readonly TailSample[]]

/** Each of ours against the best peers; nothing, where either is missing. */
export function reachOf(samples: TailSamples): Reach[] {
  const entries = [...samples]
  const peers = entries.filter(([{ isPeer }]) => isPeer)
  if (peers.length === 0) return []
  const fastest = best(peers, ([, own]) => -median(own, 'perSecond'))
  const calmest = best(peers, ([, own]) => median(own, 'p99'))
  return entries
    .filter(([{ isPeer }]) => !isPeer)
    .map(([{ name }, own]) => ({
      name,
      throughput: { best: fastest[0].name, ratio: ratio(own, fastest[1], 'perSecond') },
      p99: { best: calmest[0].name, ratio: ratio(own, calmest[1], 'p99') },
    }))
}

function best(peers: readonly Entry[], figure: (entry: Entry) => number): Entry {
  return peers.reduce((one, other) => (figure(other) < figure(one) ? other : one))
}

const median = (samples: readonly TailSample[], figure: 'perSecond' | 'p99') =>
  spread(samples.map((sample) => sample[figure])).median

function ratio(ours: readonly TailSample[], peers: readonly TailSample[], figure: 'perSecond' | 'p99'): Spread {
  return spread(ours.map((sample, round) => sample[figure] / peers[round]![figure]))
}
