import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import type { FailureReason, Outcome } from './failure.ts'
import type { Forwarding } from './forwarding.ts'
import type { IncomingFields } from './response-headers.ts'

/** What a lane sees of the exchange that it answers. */
export interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly forwarding: Forwarding
  readonly outcome: Outcome | undefined
  /** No body may follow the headers: HEAD, 204, 304. */
  readonly bodyless: boolean
  /** The client has not finished sending: its connection cannot be used for another request. */
  readonly uploading: boolean
  /** How long the body will be; -1 = unknown. */
  readonly expected: number
  /** How much of it has arrived, the chunk at hand included. */
  readonly written: number
  /** What the lane needs to remember. */
  laneState: unknown
  pause(controller: Dispatcher.DispatchController): void
  resume(): void
  fail(reason: FailureReason, error: unknown): void
  /** The client wants no more of the body. */
  onBodyUnwanted(): void
}

/** How a response reaches the client. Stateless: what it remembers is on the exchange. */
export interface Lane {
  /** The final headers have arrived. */
  start(exchange: Answering, status: number, controller: Dispatcher.DispatchController, headers: IncomingFields): void
  data(exchange: Answering, controller: Dispatcher.DispatchController, chunk: Buffer): void
  end(exchange: Answering, trailers: IncomingFields): void
  /** The response broke off after `start`. True: nothing was sent yet, so the client can still be told properly. */
  abandon(exchange: Answering, error: Error): boolean
}
