import type { Layout, LayoutMaker } from './layout.ts'
import { murmur3, rehashed } from './murmur3.ts'

/**
 * Rendezvous hashing: every node has a score for the key, -weight ÷ ln h with h its hash with the node between 0 and 1, and
 * the highest wins. Exactly the keys of a node move when it goes, and there is no table; but a pick is O(n) by its nature.
 */
export const rendezvous: LayoutMaker = (nodes): Layout => {
  const seeds = Int32Array.from(nodes, ({ identity }) => murmur3(identity))
  const weights = Float64Array.from(nodes, ({ weight }) => weight)
  const total = weights.reduce((sum, one) => sum + one, 0)
  const areEqual = weights.every((one) => one === weights[0])

  /** With equal weights, the logarithm would not change the order. */
  function scoreOf(index: number, hash: number): number {
    const own = rehashed(hash, seeds[index]!)
    return areEqual ? own : -weights[index]! / Math.log((own + 0.5) / 2 ** 32)
  }

  return {
    hashOf: murmur3,
    choose(hash, skip, may) {
      let last = -1
      let lastScore = Infinity
      for (let left = skip; ; left--) {
        let best = -1
        let bestScore = -Infinity
        for (let index = 0; index < nodes.length; index++) {
          const score = scoreOf(index, hash)
          if (score <= bestScore || score > lastScore || (score === lastScore && index <= last)) continue
          if (!may(index)) continue
          best = index
          bestScore = score
        }
        if (best === -1 || left === 0) return best
        last = best
        lastScore = bestScore
      }
    },
    shares: () => Array.from(weights, (weight) => weight / total),
  }
}
