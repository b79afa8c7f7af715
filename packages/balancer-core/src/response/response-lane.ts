import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Backend } from '../backends/backend.ts'
import type { FailureReason } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { ResponseRewrite } from './response-rewrite.ts'

/** How one route passes responses on. */
export interface AnswerRules {
  /** Add `via`. */
  readonly via: boolean
  readonly rewrite: ResponseRewrite | undefined
}

/** What a lane sees of the response that it passes on. */
export interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly rules: AnswerRules
  readonly backend: Backend
  readonly status: number
  /** The exchange has failed meanwhile. */
  readonly failed: boolean
  /** The client expects no body behind the headers: HEAD, 204, 304. */
  readonly bodyless: boolean
  /** The backend sends none: it was asked with HEAD, or answers 204 or 304. Where a hook changes the method these differ. */
  readonly empty: boolean
  /** The client has not finished sending: its connection cannot be used for another request. */
  readonly uploading: boolean
  /** How long the body will be; -1 = unknown. */
  readonly expected: number
  /** How much of it has arrived, the chunk at hand included. */
  readonly written: number
  /** What the lane needs to remember. */
  laneState: unknown
  /** The client reads more slowly than the backend sends: holds the backend up. */
  pause(): void
  resume(): void
  /** The client wants no more of the body. */
  unwanted(): void
  fail(reason: FailureReason, error: unknown): void
}

/** How a response reaches the client. Stateless: what it remembers is on the answer. */
export interface Lane {
  /** The final headers have arrived. */
  start(answer: Answering, headers: IncomingFields): void
  data(answer: Answering, chunk: Buffer): void
  /** Can it write from memory that is used again once `borrowed` returns? */
  borrows?(answer: Answering): boolean
  /** The same as `data`: false if the memory is still needed. Never the last chunk. */
  borrowed?(answer: Answering, chunk: Buffer): boolean
  end(answer: Answering, trailers: IncomingFields): void
  /** The response broke off after `start`. True: nothing was sent yet, so the client can still be told properly. */
  abandon(answer: Answering, error: Error): boolean
}
