/** What may go wrong with a request, and who does it. The backend reads it from the path. */
export const parts = {
  plain: 'no fault',
  'abort-at-once': 'the client disconnects right after the request',
  'abort-before-headers': 'the client disconnects while waiting for the response',
  'abort-upload': 'the client disconnects in the middle of its upload',
  'abort-mid-body': 'the client disconnects in the middle of the response',
  'reset-before-headers': 'the backend resets the connection instead of answering',
  'reset-mid-body': 'the backend resets the connection in the middle of its response',
} as const

export type Part = keyof typeof parts

const names = Object.keys(parts) as Part[]
const aborts = names.filter((name) => name.startsWith('abort'))
const resets = names.filter((name) => name.startsWith('reset'))

/** One request in twenty is aborted, one in twenty is reset. */
export function choosePart(random: () => number): Part {
  const draw = random()
  if (draw < 0.05) return aborts[Math.floor(random() * aborts.length)]!
  if (draw < 0.1) return resets[Math.floor(random() * resets.length)]!
  return 'plain'
}

/** The same numbers each time (mulberry32), 0 ≤ x < 1. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
