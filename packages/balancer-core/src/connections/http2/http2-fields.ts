import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http2'
import type { ConnectionRequest } from '../connect.ts'
import { emptyFields, fieldOf, putField, type HeaderFields } from '../../headers/fields.ts'
import { isHopByHop } from '../../headers/hop-by-hop.ts'
import { acceptOf } from '../../headers/websocket-key.ts'

/** The largest header of a response that Node takes over HTTP/2, names and values together, in bytes. */
export const largestHeader = 65_536

/** How many bytes the names and values of such pairs are. */
export function sizeOf(pairs: readonly string[]): number {
  let size = 0
  for (const one of pairs) size += one.length
  return size
}

/** The only protocol that has a place in HTTP/2: by extended CONNECT (RFC 8441). */
export const websocket = 'websocket'

/** Over HTTP/2 such a request has no key, and what follows it is no body (RFC 8441 §5). */
function isOfHandshake(name: string): boolean {
  return name === 'sec-websocket-key' || name === 'content-length'
}

/** The backend's own authority, for requests without a Host. */
export interface Origin {
  readonly scheme: string
  readonly authority: string
}

/**
 * The headers of a request for HTTP/2 (RFC 9113 §8.3.1): `host` becomes `:authority`, and connection headers are
 * removed. Repeated headers become one list, except `cookie`, which is not comma-separated. A request to switch to WebSocket
 * becomes an extended CONNECT (RFC 8441 §4).
 * @throws TypeError for headers that cannot be sent
 */
export function requestFields(
  { method, path, headers, body, switchTo }: ConnectionRequest,
  { scheme, authority }: Origin,
): OutgoingHttpHeaders {
  const fields = Object.create(null) as Record<string, string | string[]>
  validateHeaderName(method)
  fields[':method'] = method
  if (switchTo !== undefined) {
    fields[':method'] = 'CONNECT'
    fields[':protocol'] = websocket
  }
  // A target in absolute form is `OPTIONS *` for undici (see `judge-request.ts`).
  fields[':path'] = path.startsWith('http://') ? '*' : path
  fields[':scheme'] = scheme
  fields[':authority'] = authority
  const flat = headers as readonly string[]
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!.toLowerCase()
    const value = flat[index + 1]!
    validateHeaderName(name)
    validateHeaderValue(name, value)
    if (name === 'host') {
      if (value !== '') fields[':authority'] = value
    } else if (switchTo !== undefined && isOfHandshake(name)) continue
    else if (!isHopByHop(name) || (name === 'te' && value === 'trailers')) putInList(fields, name, value)
  }
  if (Buffer.isBuffer(body) && body.length > 0) fields['content-length'] ??= String(body.length)
  return fields
}

function putInList(fields: Record<string, string | string[]>, name: string, value: string): void {
  const earlier = fields[name]
  if (earlier === undefined) fields[name] = value
  else if (name === 'cookie') fields[name] = [earlier, value].flat()
  else fields[name] = `${String(earlier)}, ${value}`
}

/** The trailers of a request for HTTP/2, from flat pairs. */
export function trailerFields(pairs: readonly string[]): OutgoingHttpHeaders {
  const fields = Object.create(null) as Record<string, string | string[]>
  for (let index = 0; index < pairs.length; index += 2) {
    putInList(fields, pairs[index]!.toLowerCase(), pairs[index + 1]!)
  }
  return fields
}

/** The headers of a response or its trailers, from the pairs as received. */
export function receivedFields(pairs: readonly string[]): HeaderFields {
  const fields = emptyFields()
  for (let index = 0; index < pairs.length; index += 2) {
    const name = pairs[index]!
    if (name.charCodeAt(0) !== 58 /* : */) putField(fields, name, pairs[index + 1]!)
  }
  return fields
}

/** How long the body of a response says it is (bytes); -1 if it does not, or has none. */
export function bodyLength(isHead: boolean, status: number, { 'content-length': length }: HeaderFields): number {
  const isBodyless = isHead || status === 204 || status === 304
  return isBodyless || length === undefined ? -1 : Number(length)
}

/** What HTTP/1.1 would say where an extended CONNECT has opened a WebSocket, to a client with the key of this request. */
export function switchedFields(fields: HeaderFields, { headers }: ConnectionRequest): HeaderFields {
  const key = fieldOf(headers as readonly string[], 'sec-websocket-key')
  const accept = key === undefined ? undefined : acceptOf(key)
  return Object.assign(fields, { upgrade: websocket, 'sec-websocket-accept': accept })
}
