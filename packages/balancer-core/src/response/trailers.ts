import type { ServerResponse } from 'node:http'
import { toFields, type IncomingFields } from '../headers/fields.ts'
import { isTrailer } from '../headers/trailer-fields.ts'

/** Passes trailers on, after a chunked body. */
export function addTrailers(response: ServerResponse, trailers: IncomingFields): void {
  const pairs: [string, string][] = []
  for (const name of Object.keys(trailers)) {
    if (!isTrailer(name)) continue
    for (const value of [trailers[name]].flat()) pairs.push([name, String(value)])
  }
  if (pairs.length === 0) return
  // Node's HTTP/2 does not accept pairs here.
  response.addTrailers('stream' in response ? toFields(pairs.flat()) : pairs)
}
