import { crcOf, crcStart, crcWith, crcWithWord } from './crc32.ts'
import type { Layout, LayoutMaker, Member } from './layout.ts'
import { sharesOf, Walk } from './walk.ts'

/** Points of a member for each unit of its weight. (nginx, ketama.) */
const pointsPerWeight = 160

/** Above so many points, each member has fewer, in proportion: building takes too long otherwise. */
const mostPoints = 2 ** 18

/** Host and port apart, with a zero between: as ketama and nginx hash `host:port`. */
function apart(identity: string): string {
  const [, host = identity, port = ''] = /^(.*):(\d+)$/s.exec(identity) ?? []
  return `${host}\0${port}`
}

/** How many points each member has: 160 × weight, or in proportion so that all have at most 2¹⁸, and each at least one. */
function pointCounts(members: readonly Member[]): readonly number[] {
  const wanted = members.map(({ weight }) => weight * pointsPerWeight)
  const total = wanted.reduce((sum, one) => sum + one, 0)
  return total <= mostPoints ? wanted : wanted.map((one) => Math.max(1, Math.floor((one / total) * mostPoints)))
}

/** Points on the ring, and the member of each. */
interface Points {
  readonly points: Uint32Array
  readonly owners: Int32Array
}

/** Sorts by 16 bits of the points, from `shift` on; those that are equal stay in their order. */
function sortedBy(shift: number, { points, owners }: Points): Points {
  const starts = new Uint32Array(2 ** 16 + 1)
  for (let at = 0; at < points.length; at++) starts[((points[at]! >>> shift) & 0xffff) + 1]! += 1
  for (let digit = 1; digit < starts.length; digit++) starts[digit]! += starts[digit - 1]!
  const sorted = { points: new Uint32Array(points.length), owners: new Int32Array(points.length) }
  for (let at = 0; at < points.length; at++) {
    const digit = (points[at]! >>> shift) & 0xffff
    const place = starts[digit]!
    starts[digit] = place + 1
    sorted.points[place] = points[at]!
    sorted.owners[place] = owners[at]!
  }
  return sorted
}

/** In ascending order; of several members at one point, the first has it. */
function ascending(all: Points): Points {
  // A radix sort: `sort` takes ten times as long.
  const { points, owners } = sortedBy(16, sortedBy(0, all))
  let kept = 0
  for (let at = 0; at < points.length; at++) {
    if (kept > 0 && points[kept - 1] === points[at]) continue
    points[kept] = points[at]!
    owners[kept++] = owners[at]!
  }
  return { points: points.subarray(0, kept), owners: owners.subarray(0, kept) }
}

function pointsOf(members: readonly Member[]): Points {
  const counts = pointCounts(members)
  const length = counts.reduce((sum, one) => sum + one, 0)
  const all = { points: new Uint32Array(length), owners: new Int32Array(length) }
  let at = 0
  for (const [index, { identity }] of members.entries()) {
    const start = crcWith(crcStart, apart(identity))
    let point = 0
    for (let count = counts[index]!; count > 0; count--) {
      point = crcOf(crcWithWord(start, point))
      all.points[at] = point
      all.owners[at++] = index
    }
  }
  return ascending(all)
}

/**
 * A ring as of ketama and nginx's `hash … consistent`: each member has points on it, and a key goes to the next one. With the
 * same servers and weights, the same keys go to the same servers as in nginx. A pick is O(log n).
 */
export const ring: LayoutMaker = (members): Layout => {
  const { points, owners } = pointsOf(members)
  const walk = new Walk(owners, members.length)

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
      sharesOf(owners, members.length, (place) =>
        place === 0 ? points[0]! + 2 ** 32 - points.at(-1)! : points[place]! - points[place - 1]!,
      ),
    positionOf: placeOf,
  }
}
