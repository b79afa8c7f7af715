import type { FastifyRequest } from 'fastify'
import type { HeaderFields } from '../headers/fields.ts'

/** The request to the backend; change it in place. */
export interface OutgoingRequest {
  method: string
  /** Path and query. */
  path: string
  headers: HeaderFields
}

/** Called once for each request, after all other processing, so what it sets is sent. Synchronous. */
export type RequestRewrite = (message: { in: FastifyRequest; out: OutgoingRequest }) => void
