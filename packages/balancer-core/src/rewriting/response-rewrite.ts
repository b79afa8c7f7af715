import type { FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import type { Backend } from '../backends/backend.ts'
import type { FailureReason } from '../failure.ts'
import type { HeaderFields } from '../headers/fields.ts'

/** The response from the backend. */
export interface IncomingResponse {
  /** The backend that responded. */
  readonly backend: Backend
  readonly status: number
  readonly headers: Readonly<HeaderFields>
}

/** The response to the client; change it in place. */
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
  /** No body comes from the backend. */
  readonly empty: boolean
  readonly rules: { readonly rewrite: ResponseRewrite | undefined }
  fail(reason: FailureReason, error: unknown): void
}

/** Another status may imply another body length: the client must get exactly what it expects. */
function reframe({ status, headers }: OutgoingResponse, before: number, empty: boolean): void {
  if (status === 204) delete headers['content-length']
  else if (empty && status !== before && status !== 304) headers['content-length'] = '0'
  // No trailers can follow, and Node would throw.
  if (status === 204 || status === 304 || headers['content-length'] !== undefined) delete headers.trailer
}

/** Lets the user's function change the response. False if it threw; the exchange has failed then. */
export function rewriteResponse(answer: Rewritten, out: OutgoingResponse): boolean {
  const { backend, rules, request, empty } = answer
  if (rules.rewrite === undefined) return true
  const { status } = out
  try {
    rules.rewrite({ in: { backend, status, headers: { ...out.headers } }, out, request })
    reframe(out, status, empty)
    return true
  } catch (error) {
    answer.fail('rewrite-failed', error)
    return false
  }
}
