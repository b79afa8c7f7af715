/** How many letters must be added, removed, replaced or swapped with their neighbour to make one text of the other. */
function distance(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const line = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      let least = Math.min(line[column - 1]! + 1, last[column]! + 1, last[column - 1]! + (isSame ? 0 : 1))
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1])
        least = Math.min(least, beforeLast[column - 2]! + 1)
      line.push(least)
    }
    beforeLast = last
    last = line
  }
  return last[other.length]!
}

/** The name that was probably meant; undefined if none is near. */
export function nearName(given: string, names: readonly string[]): string | undefined {
  const text = given.toLowerCase()
  const most = Math.max(1, Math.floor(text.length / 3))
  const found = names
    .map((name) => ({ name, far: text.length >= 4 && name.startsWith(text) ? 0 : distance(text, name) }))
    .filter(({ far }) => far <= most)
  return found.sort((one, other) => one.far - other.far)[0]?.name
}
