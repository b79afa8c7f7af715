import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import type { FailureError } from '../errors.ts'
import type { IncomingResponse } from '../rewriting/response-rewrite.ts'

/** The response of a backend, for code of the app that answers in its place. */
export interface BackendResponse extends IncomingResponse {
  /** What the backend sends. Pausing it pauses the backend; nothing else reads it. */
  readonly body: Readable
}

/**
 * Called with the response of the backend; status and headers are set on `reply`. It may answer with `reply.send`, at once
 * or before its promise is settled; if it has not by then, the response of the backend goes to the client.
 */
export type OnBackendResponse = (request: FastifyRequest, reply: FastifyReply, response: BackendResponse) => unknown

/**
 * Called when the request has failed and the client can still be told. It may answer with `reply.send`, at once or before its
 * promise is settled; if it has not by then, the error goes to the app's error handler.
 */
export type OnForwardError = (request: FastifyRequest, reply: FastifyReply, error: FailureError | Error) => unknown

/** Bytes, at once or as a stream: they may be those of the backend. Anything else is text, or becomes text. */
export function isBytes(payload: unknown): boolean {
  const isStream = typeof (payload as Partial<Readable> | null | undefined)?.pipe === 'function'
  return isStream || payload instanceof Uint8Array || payload instanceof ReadableStream || payload instanceof Response
}

/** Whether code of the app has begun to answer. */
export interface AppAnswer {
  hasBegun: boolean
  /** Is told what it sends. */
  readonly sending?: (payload: unknown) => void
}

/**
 * Lets code of the app answer a request. `otherwise` is called if it has not begun to when it is done, and `failed` if it
 * threw.
 */
export function letAppAnswer(
  state: AppAnswer,
  reply: FastifyReply,
  answer: () => unknown,
  otherwise: () => void,
  failed: (error: unknown) => void,
): void {
  const send = reply.send.bind(reply)
  // Fastify does not tell whether `send` was called: `sent` is false until the response has ended.
  reply.send = (payload?: unknown) => {
    state.hasBegun = true
    state.sending?.(payload)
    reply.send = send
    return send(payload)
  }
  const done = () => {
    reply.send = send
    if (!state.hasBegun && !reply.sent && !reply.raw.headersSent) otherwise()
  }
  const threw = (error: unknown) => {
    reply.send = send
    failed(error)
  }
  try {
    const promise = answer() as Promise<unknown> | undefined
    if (typeof promise?.then === 'function') promise.then(done, threw)
    else done()
  } catch (error) {
    threw(error)
  }
}
