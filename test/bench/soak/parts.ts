/** What may go wrong with a request, and who does it. The backend reads it from the path. */
const httpParts = {
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

/** The same of calls of gRPC. */
const callParts = {
  'call-unary': 'a unary call of gRPC',
  'call-stream': 'a bidirectional stream of gRPC, to the end',
  'call-refused': 'a call of gRPC that the backend answers with nothing but a status',
  'call-cancelled': 'a call of gRPC that the client cancels while waiting for the response',
  'call-stream-cancelled': 'a bidirectional stream of gRPC that the client cancels',
  'call-stream-left': 'a bidirectional stream of gRPC, and the client disconnects',
  'call-late': 'a call of gRPC whose deadline passes before the response',
  'call-stream-late': 'a bidirectional stream of gRPC whose deadline passes in the middle',
  'call-stream-reset': 'a bidirectional stream of gRPC that the backend resets',
} as const

export const parts = { ...httpParts, ...callParts }

export type HttpPart = keyof typeof httpParts
export type CallPart = keyof typeof callParts
export type Part = HttpPart | CallPart

/** How an exchange ended, as the client saw it: of calls, by the status of gRPC. */
export type Ending = 'answered' | 'refused' | 'broken' | 'left' | CallEnding

/**
 * `ASKED FOR` is the status that the client had asked for; `reset` is one without a status, as the stream was reset after its
 * response had begun. The number of any other status is a fault.
 */
export type CallEnding =
  | 'OK'
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'ASKED FOR'
  | 'reset'
  | 'broken'
  | `status ${string}`

export function isCall(part: Part): part is CallPart {
  return part in callParts
}

const names = Object.keys(httpParts) as HttpPart[]
const aborts = names.filter((name) => name.startsWith('abort'))
const resets = names.filter((name) => name.startsWith('reset'))
const events = names.filter((name) => name.startsWith('events'))
const tunnels = names.filter((name) => name.startsWith('tunnel'))
const calls = Object.keys(callParts) as CallPart[]
const kinds: readonly (readonly Part[])[] = [aborts, resets, events, tunnels, calls, calls, ['call-unary']]

/**
 * Of twenty requests, one is aborted, one is reset, one is for events and one for a tunnel; three are calls, of which
 * two may be of any kind.
 */
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
