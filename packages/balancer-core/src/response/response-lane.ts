import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Backend } from '../backends/backend.ts'
import type { FailureReason } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { AddressRules } from '../rewriting/response-addresses.ts'
import type { ResponseRewrite } from '../rewriting/response-rewrite.ts'
import type { OnBackendResponse } from './app-answer.ts'

/** How one route passes responses on. */
export interface AnswerRules {
  /** Add `via`. */
  readonly via: boolean
  readonly rewrite: ResponseRewrite | undefined
  /** Answers in place of the backend; full lane only. */
  readonly onResponse?: OnBackendResponse | undefined
  /** What changes in the addresses that they name. */
  readonly addresses: AddressRules
}

/** The response, as a lane sees it. */
export interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly rules: AnswerRules
  readonly backend: Backend
  readonly status: number
  /** The exchange has failed. */
  readonly failed: boolean
  /** The client expects no body behind the headers: HEAD, 204, 304. */
  readonly bodyless: boolean
  /**
   * The backend sends no body: it got HEAD, or responds 204 or 304. If `rewrite` changes the method, this may differ
   * from what the client expects.
   */
  readonly empty: boolean
  /** The client has not finished sending: its connection cannot be used for another request. */
  readonly uploading: boolean
  /** Length of the body; -1 = unknown. */
  readonly expected: number
  /** Bytes received so far, including the current chunk. */
  readonly written: number
  /** State of the lane. */
  laneState: unknown
  /** Pauses the backend: the client reads more slowly than it sends. */
  pause(): void
  resume(): void
  /** The client does not want the rest of the body. */
  unwanted(): void
  fail(reason: FailureReason, error: unknown): void
}

/** How a response reaches the client. Stateless: its state is kept in the answer. */
export interface Lane {
  /** The final headers have arrived. */
  start(answer: Answering, headers: IncomingFields): void
  data(answer: Answering, chunk: Buffer): void
  /** Can it write from memory that is used again once `borrowed` returns? */
  borrows?(answer: Answering): boolean
  /** The same as `data`: false if the memory is still needed. Never the last chunk. */
  borrowed?(answer: Answering, chunk: Buffer): boolean
  end(answer: Answering, trailers: IncomingFields): void
  /**
   * The response failed after `start`. True if nothing was sent yet, so that the client can still get an error
   * response.
   */
  abandon(answer: Answering, error: Error): boolean
}
