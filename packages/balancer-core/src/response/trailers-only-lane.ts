import type { ServerResponse } from 'node:http'
import type { RemoteCall } from '../grpc/remote-call.ts'
import { emptyFields, type HeaderFields, type IncomingFields } from '../headers/fields.ts'
import { responseFields } from './response-headers.ts'
import type { Answering, Lane } from './response-lane.ts'
import { rewriteResponse } from '../rewriting/response-rewrite.ts'
import { sendTrailersOnly, streamOf } from './trailers-only.ts'

interface State {
  status: number
  headers: HeaderFields
}

/** Sends a gRPC response that has its status in its headers, once its end has come, and nothing after them. */
const trailersOnlyLane: Lane = {
  start(answer, received) {
    const { reply, status, rules } = answer
    const headers = responseFields(received, {
      status,
      bodyless: true,
      empty: true,
      chunks: false,
      via: rules.via,
      own: reply.getHeaders(),
    })
    const message = { status, headers, body: undefined }
    if (!rewriteResponse(answer, message)) return
    answer.laneState = { status: message.status, headers: message.headers } satisfies State
  },

  // The status was the last word: messages behind it break the protocol.
  data(answer) {
    answer.fail('bad-response', new Error('data after grpc-status'))
  },

  end(answer, trailers) {
    const { status, headers } = answer.laneState as State
    answer.reply.hijack()
    sendTrailersOnly(answer.reply.raw, status, Object.assign(emptyFields(), headers, trailers))
  },

  abandon(answer: Answering) {
    return !answer.reply.raw.headersSent
  },
}

/** The lane for the response to a call: its route's, unless headers are to be all of it. */
export function laneForCall(lane: Lane, { form }: RemoteCall, headers: IncomingFields, raw: ServerResponse): Lane {
  const isTrailersOnly = form === 'grpc' && headers['grpc-status'] !== undefined && streamOf(raw) !== undefined
  return isTrailersOnly ? trailersOnlyLane : lane
}
