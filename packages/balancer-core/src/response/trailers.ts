import type { ServerResponse } from 'node:http'
import { isHopByHop } from '../headers/hop-by-hop.ts'
import { toFields, type IncomingFields } from '../headers/fields.ts'

/** Headers that must not be trailers: framing, routing, content description (RFC 9110 §6.5.1). */
const forbidden = new Set([
  'content-length',
  'host',
  'trailer',
  'content-encoding',
  'content-type',
  'content-range',
  'set-cookie',
  'cache-control',
  'authorization',
])

/** Passes trailers on, after a chunked body. */
export function addTrailers(response: ServerResponse, trailers: IncomingFields): void {
  const pairs: [string, string][] = []
  for (const name of Object.keys(trailers)) {
    if (isHopByHop(name) || forbidden.has(name)) continue
    for (const value of [trailers[name]].flat()) pairs.push([name, String(value)])
  }
  if (pairs.length === 0) return
  // Node's HTTP/2 does not accept pairs here.
  response.addTrailers('stream' in response ? toFields(pairs.flat()) : pairs)
}
