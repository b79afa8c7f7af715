import type { FastifyReply } from 'fastify'
import { failureResponse } from '../grpc/failure-response.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import type { StatusName } from '../grpc/status-code.ts'
import { sendTrailersOnly } from './trailers-only.ts'

/** Answers a call that has failed before its response began, in its own form. Headers that plugins have set stay. */
export function failCall(reply: FastifyReply, call: RemoteCall, name: StatusName, message: string): void {
  const own = reply.getHeaders()
  const { raw } = reply
  const { status, headers, body } = failureResponse(call, name, message)
  reply.hijack()
  const fields = { ...(own as Record<string, string | string[]>), ...headers }
  if (body === undefined) return sendTrailersOnly(raw, status, fields)
  raw.writeHead(status, { ...fields, 'content-length': String(body.length) })
  raw.end(body)
}
