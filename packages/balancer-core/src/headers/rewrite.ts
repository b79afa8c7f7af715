import type { FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import type { Backend } from '../backends/backend.ts'

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
  /** Who has answered. */
  readonly backend: Backend
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

/** Fields to put others into; without a prototype, none can be taken for something that every object has. */
export function emptyFields(): HeaderFields {
  return Object.create(null) as HeaderFields
}

/** Adds a field; one of the same name stays. */
export function putField(fields: HeaderFields, name: string, value: string): void {
  const earlier = fields[name]
  if (earlier === undefined) fields[name] = value
  else fields[name] = Array.isArray(earlier) ? [...earlier, value] : [`${earlier}`, value]
}

/** Flat pairs to fields. */
export function toFields(flat: readonly string[]): HeaderFields {
  const fields = emptyFields()
  for (let index = 0; index < flat.length; index += 2) putField(fields, flat[index]!.toLowerCase(), flat[index + 1]!)
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
