import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { ConnectionRequest } from '../connections/connection.ts'
import { isHopByHop } from '../headers/hop-by-hop.ts'

/** What one attempt sends: an object of its own, whose fields are those of the exchange until one is replaced. */
export interface AttemptRequest extends ConnectionRequest {
  /** Flat pairs. Shared with the other attempts: replaced by a changed copy, never written to. */
  headers: string[]
}

/** They say where the body ends and whom the request is for, which was decided for the whole exchange. */
const settled = new Set(['host', 'content-length', 'expect', 'trailer'])

/** The index of the first field of that name, in whatever case; -1 if there is none. `name` is in lower case. */
function indexOf(headers: readonly string[], name: string): number {
  for (let index = 0; index < headers.length; index += 2) {
    const one = headers[index]!
    if (one.length === name.length && one.toLowerCase() === name) return index
  }
  return -1
}

/**
 * Fields with this one in place of all of its name, whatever their case; `undefined` leaves them out. What it answers is a
 * copy, unless there is nothing to change. What undici would refuse is refused here, where it costs no connection.
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
