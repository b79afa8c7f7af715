import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http2'
import type { Dispatcher } from 'undici'
import { emptyFields, putField, type HeaderFields } from '../../headers/fields.ts'
import { isHopByHop } from '../../headers/hop-by-hop.ts'

/** The largest header of a response that Node takes over HTTP/2, names and values together, in bytes. */
export const largestHeader = 65_536

/** How many bytes the names and values of such pairs are. */
export function sizeOf(pairs: readonly string[]): number {
  let size = 0
  for (const one of pairs) size += one.length
  return size
}

/** The backend's own authority, for requests without a Host. */
export interface Origin {
  readonly scheme: string
  readonly authority: string
}

/**
 * The headers of a request for HTTP/2 (RFC 9113 §8.3.1): `host` becomes `:authority`, and connection headers are
 * removed. Repeated headers become one list, except `cookie`, which is not comma-separated.
 * @throws TypeError for headers that cannot be sent
 */
export function requestFields(
  { method, path, headers, body }: Dispatcher.DispatchOptions,
  { scheme, authority }: Origin,
): OutgoingHttpHeaders {
  const fields = Object.create(null) as Record<string, string | string[]>
  validateHeaderName(method)
  fields[':method'] = method
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
    } else if (!isHopByHop(name) || (name === 'te' && value === 'trailers')) putInList(fields, name, value)
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
