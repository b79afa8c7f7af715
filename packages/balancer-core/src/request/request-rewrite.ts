import type { FastifyRequest } from 'fastify'
import type { HeaderFields } from '../headers/fields.ts'

/** What will be sent to the backend; change it in place. */
export interface OutgoingRequest {
  method: string
  /** Path and query. */
  path: string
  headers: HeaderFields
}

/** Called once for each exchange, after all hygiene, so what it sets is what is sent. Synchronous. */
export type RequestRewrite = (message: { in: FastifyRequest; out: OutgoingRequest }) => void
