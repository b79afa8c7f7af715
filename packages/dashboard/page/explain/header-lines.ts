/** Parsed header lines. */
export interface WrittenHeaders {
  readonly headers: Readonly<Record<string, string | string[]>>
  /** Numbers of invalid lines, from 1. */
  readonly bad: readonly number[]
}

/** Parses lines of `name: value`. A repeated name has several values. */
export function readHeaders(text: string): WrittenHeaders {
  const headers: Record<string, string | string[]> = Object.create(null)
  const bad: number[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [, name, value = ''] = /^\s*([^\s:]+)\s*:(.*)$/.exec(line) ?? []
    if (name === undefined) {
      bad.push(index + 1)
      continue
    }
    const key = name.toLowerCase()
    const before = headers[key]
    headers[key] = before === undefined ? value.trim() : [before, value.trim()].flat()
  }
  return { headers, bad }
}
