/** How many letters have to be added, removed, exchanged or swapped with their neighbour (Damerau–Levenshtein, restricted). */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let row = 1; row <= one.length; row++) {
    const line = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      line.push(
        Math.min(
          rows[row - 1]![column]! + 1,
          line[column - 1]! + 1,
          rows[row - 1]![column - 1]! + same,
          swapped ? rows[row - 2]![column - 2]! + 1 : Infinity,
        ),
      )
    }
    rows.push(line)
  }
  return rows[one.length]![other.length]!
}

const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, '')

/** The one of `known` that was probably meant. */
export function nearName(name: string, known: readonly string[]): string | undefined {
  const given = plain(name).slice(0, 100)
  const near = known
    .map((one) => ({ one, apart: distance(given, plain(one)) }))
    .filter(({ one, apart }) => apart <= Math.max(1, Math.floor(one.length / 3)))
    .toSorted((first, second) => first.apart - second.apart)
  return near[0]?.one
}
