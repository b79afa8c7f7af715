/** What may go wrong with a request, and who does it. The backend reads it from the path. */
export const parts = {
  plain: 'no fault',
  'abort-at-once': 'the client disconnects right after the request',
  'abort-before-headers': 'the client disconnects while waiting for the response',
  'abort-upload': 'the client disconnects in the middle of its upload',
  'abort-mid-body': 'the client disconnects in the middle of the response',
  'reset-before-headers': 'the backend resets the connection instead of answering',
  'reset-mid-body': 'the backend resets the connection in the middle of its response',
  'events-whole': 'server-sent events, to the end',
  'events-left': 'server-sent events, and the client leaves after the first',
  'tunnel-whole': 'a WebSocket, which the client closes',
  'tunnel-left': 'a WebSocket, and the client disconnects',
  'tunnel-reset': 'a WebSocket, and the backend resets the connection',
  'tunnel-refused': 'a WebSocket, which the backend refuses',
} as const

export type Part = keyof typeof parts

/** How an exchange ended, as the client saw it. */
export type Ending = 'answered' | 'refused' | 'broken' | 'left'

const names = Object.keys(parts) as Part[]
const aborts = names.filter((name) => name.startsWith('abort'))
const resets = names.filter((name) => name.startsWith('reset'))
const events = names.filter((name) => name.startsWith('events'))
const tunnels = names.filter((name) => name.startsWith('tunnel'))
const kinds = [aborts, resets, events, tunnels]

/** Of twenty requests, one is aborted, one is reset, one is for events and one for a tunnel. */
export function choosePart(random: () => number): Part {
  const kind = kinds[Math.floor(random() * 20)]
  if (kind !== undefined) return kind[Math.floor(random() * kind.length)]!
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
