import { crcOf, crcStart, crcWith, crcWithWord } from './crc32.ts'
import type { Layout, LayoutMaker, Node } from './layout.ts'
import { sharesOf, Walk } from './walk.ts'

/** Points of a node for each unit of its weight. (nginx, ketama.) */
const pointsPerWeight = 160

/** Above so many points, each node has fewer, in proportion: building takes too long otherwise. */
const mostPoints = 2 ** 18

/** Host and port apart, with a zero between: as ketama and nginx hash `host:port`. */
function apart(identity: string): string {
  const [, host = identity, port = ''] = /^(.*):(\d+)$/s.exec(identity) ?? []
  return `${host}\0${port}`
}

/** How many points each node has: 160 × weight, or in proportion so that all have at most 2¹⁸, and each at least one. */
function pointCounts(nodes: readonly Node[]): readonly number[] {
  const wanted = nodes.map(({ weight }) => weight * pointsPerWeight)
  const total = wanted.reduce((sum, one) => sum + one, 0)
  return total <= mostPoints ? wanted : wanted.map((one) => Math.max(1, Math.floor((one / total) * mostPoints)))
}

/** The points on the ring in ascending order, and the node of each. */
function pointsOf(nodes: readonly Node[]): { readonly points: Float64Array; readonly owners: Int32Array } {
  const counts = pointCounts(nodes)
  // A point and its node in one number, which sorts by both: 2³² × 2²⁰ is exact.
  const both = new Float64Array(counts.reduce((sum, one) => sum + one, 0))
  let length = 0
  for (const [index, { identity }] of nodes.entries()) {
    const start = crcWith(crcStart, apart(identity))
    let point = 0
    for (let count = counts[index]!; count > 0; count--) {
      point = crcOf(crcWithWord(start, point))
      both[length++] = point * 2 ** 20 + index
    }
  }
  both.sort()
  const points = new Float64Array(length)
  const owners = new Int32Array(length)
  let kept = 0
  for (const one of both) {
    const point = Math.floor(one / 2 ** 20)
    // Of two at the same point, the first has it.
    if (kept > 0 && points[kept - 1] === point) continue
    points[kept] = point
    owners[kept++] = one % 2 ** 20
  }
  return { points: points.subarray(0, kept), owners: owners.subarray(0, kept) }
}

/**
 * A ring as of ketama and nginx's `hash … consistent`: each node has points on it, and a key goes to the next one. With the
 * same servers and weights, the same keys go to the same servers as in nginx. A pick is O(log n).
 */
export const ring: LayoutMaker = (nodes): Layout => {
  const { points, owners } = pointsOf(nodes)
  const walk = new Walk(owners, nodes.length)

  /** The place of the first point at or after the hash; after the last comes the first. */
  function placeOf(hash: number): number {
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (points[middle]! < hash) low = middle + 1
      else high = middle
    }
    return low === points.length ? 0 : low
  }

  return {
    hashOf: (key) => crcOf(crcWith(crcStart, key)),
    choose: (hash, skip, may) => walk.choose(placeOf(hash), 1, skip, may),
    shares: () =>
      sharesOf(owners, nodes.length, (place) =>
        place === 0 ? points[0]! + 2 ** 32 - points.at(-1)! : points[place]! - points[place - 1]!,
      ),
    positionOf: placeOf,
  }
}
