import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { ConnectionRequest } from '../connections/connect.ts'
import { isHopByHop } from '../headers/hop-by-hop.ts'

/** The request of one attempt. Its header array is shared with the exchange until a header is replaced. */
export interface AttemptRequest extends ConnectionRequest {
  /** Flat pairs. Shared with the other attempts: replaced by a changed copy, never written to. */
  headers: string[]
}

/** What hooks see of it. */
export interface Sending extends Readonly<Pick<AttemptRequest, 'method' | 'path' | 'body' | 'held'>> {
  /** Flat pairs. Without a Host, the backend gets its own. */
  readonly headers: readonly string[]
}

/** Framing and Host: decided for the whole exchange, so hooks cannot change them for one attempt. */
const settled = new Set(['host', 'content-length', 'expect', 'trailer'])

/** The index of the first field of that name, in any case; -1 if there is none. `name` is in lower case. */
function indexOf(headers: readonly string[], name: string): number {
  for (let index = 0; index < headers.length; index += 2) {
    const one = headers[index]!
    if (one.length === name.length && one.toLowerCase() === name) return index
  }
  return -1
}

/** The value of a field, in any case: those of several are joined, as Node does it; undefined if there is none. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const lower = name.toLowerCase()
  const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1]!.toLowerCase() === lower)
  return values.length === 0 ? undefined : values.join(lower === 'cookie' ? '; ' : ', ')
}

/**
 * Replaces all header fields of this name, in any case; `undefined` removes them. Returns a copy, unless nothing
 * changes. Anything that undici would refuse is refused here, before it costs a connection.
 * @throws TypeError for a name or value that cannot be sent, and for fields of the connection, of framing and Host
 */
export function withHeader(headers: string[], name: string, value: string | undefined): string[] {
  validateHeaderName(name)
  const lower = name.toLowerCase()
  if (settled.has(lower) || isHopByHop(lower)) throw new TypeError(`'${name}' cannot be set for one attempt`)
  if (value !== undefined) {
    if (typeof value !== 'string') throw new TypeError(`The value of '${name}' must be a string`)
    validateHeaderValue(name, value)
  }
  let first = indexOf(headers, lower)
  if (first === -1 && value === undefined) return headers
  const copy = headers.slice()
  for (; first !== -1; first = indexOf(copy, lower)) copy.splice(first, 2)
  if (value !== undefined) copy.push(name, value)
  return copy
}
