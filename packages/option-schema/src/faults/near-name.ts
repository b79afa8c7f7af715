import { otherWords } from './other-words.ts'

/** Alike, however it is written: `health-check`, `health_check` and `healthcheck` are `healthCheck`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '')
}

/** How many letters must be added, left out, changed or swapped with their neighbour to make one of the other. */
function distance(one: string, other: string): number {
  let before: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (isSame ? 0 : 1))
      next.push(isSwapped ? Math.min(least, before[j - 2]! + 1) : least)
    }
    before = row
    row = next
  }
  return row.at(-1)!
}

/** Longer names are not misspelt ones: to compare them would only cost time. */
const longest = 60

/** The name that was most likely meant: spelt otherwise, misspelt, cut short, or what other systems call it. Undefined if none is near. */
export function nearName(given: string, known: readonly string[]): string | undefined {
  if (given.length > longest) return undefined
  const name = plain(given)
  const same = known.find((one) => plain(one) === name)
  if (same !== undefined) return same
  const meant = otherWords(name).find((one) => known.includes(one))
  if (meant !== undefined) return meant
  const begun = name.length < 4 ? [] : known.filter((one) => plain(one).startsWith(name))
  if (begun.length === 1) return begun[0]
  const allowed = name.length < 5 ? 1 : name.length < 9 ? 2 : 3
  const near = known
    .map((one) => ({ one, far: distance(name, plain(one)) }))
    .filter(({ one, far }) => far <= allowed && far < plain(one).length - 1)
    .toSorted((a, b) => a.far - b.far)
  return near[0]?.one
}
