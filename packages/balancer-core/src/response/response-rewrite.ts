import type { FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import type { Backend } from '../backends/backend.ts'
import type { FailureReason } from '../failure.ts'
import type { HeaderFields } from '../headers/fields.ts'

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

/** The response that is rewritten. */
interface Rewritten {
  readonly request: FastifyRequest
  readonly backend: Backend
  readonly rules: { readonly rewrite: ResponseRewrite | undefined }
  fail(reason: FailureReason, error: unknown): void
}

/** Lets the user's hook change the response. False: it threw, and the exchange has failed. */
export function rewriteResponse(answer: Rewritten, out: OutgoingResponse): boolean {
  const { backend, rules, request } = answer
  if (rules.rewrite === undefined) return true
  try {
    rules.rewrite({ in: { backend, status: out.status, headers: { ...out.headers } }, out, request })
    return true
  } catch (error) {
    answer.fail('rewrite-failed', error)
    return false
  }
}
