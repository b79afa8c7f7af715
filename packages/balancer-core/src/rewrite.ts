import type { FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'

/** Header fields by lower-case name; a name that occurs several times has an array, one that is undefined is left out. */
export type HeaderFields = Record<string, string | number | string[] | undefined>

/** What will be sent to the backend; change it in place. */
export interface OutgoingRequest {
  method: string
  /** Path and query. */
  path: string
  headers: HeaderFields
}

/** Called once for each exchange, after all hygiene, so what it sets is what is sent. Synchronous. */
export type RequestRewrite = (message: { in: FastifyRequest; out: OutgoingRequest }) => void

/** What has arrived from the backend. */
export interface IncomingResponse {
  readonly status: number
  readonly headers: Readonly<HeaderFields>
}

/** What will be sent to the client; change it in place. */
export interface OutgoingResponse {
  status: number
  headers: HeaderFields
  /** In the full lane, the backend's body: replace it with a stream made of it, a Buffer or a string. Otherwise undefined. */
  body: Readable | Buffer | string | undefined
}

/** Called once, before anything is sent to the client. Synchronous. */
export type ResponseRewrite = (message: {
  in: IncomingResponse
  out: OutgoingResponse
  request: FastifyRequest
}) => void

/** Flat pairs to fields. */
export function toFields(flat: readonly string[]): HeaderFields {
  // Without a prototype, no field can be taken for something that every object has.
  const fields = Object.create(null) as Record<string, string | string[]>
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!.toLowerCase()
    const value = flat[index + 1]!
    const earlier = fields[name]
    if (earlier === undefined) fields[name] = value
    else fields[name] = Array.isArray(earlier) ? [...earlier, value] : [earlier, value]
  }
  return fields
}

/** Fields to flat pairs; a field set to undefined is left out. */
export function toFlat(fields: HeaderFields): string[] {
  const flat: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) flat.push(name, `${one}`)
  }
  return flat
}
