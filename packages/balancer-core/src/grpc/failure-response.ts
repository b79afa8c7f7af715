import type { RemoteCall } from './remote-call.ts'
import { codeOf, httpStatusOf, type StatusName } from './status-code.ts'

/** A complete response. Without a body, the headers are the end. */
export interface CallResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

/** The first byte of the frame that ends a body: trailers of gRPC-Web, and the end of a stream of Connect. */
const trailersFrame = 0x80
const endOfStream = 0x02

/** A `grpc-message`: UTF-8, percent-encoded but for printable ASCII (gRPC over HTTP/2). */
export function messageField(message: string): string {
  return message.replace(/[^\u0020-\u0024\u0026-\u007e]+/gu, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/** `grpc-status` and `grpc-message`. */
export function statusFields(status: StatusName, message: string): Readonly<Record<string, string>> {
  return { 'grpc-status': String(codeOf(status)), 'grpc-message': messageField(message) }
}

function frame(kind: number, content: string): Buffer {
  const bytes = Buffer.from(content)
  const head = Buffer.from([kind, 0, 0, 0, 0])
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Connect spells one of them differently. */
function connectError(status: StatusName, message: string): object {
  return { code: status === 'CANCELLED' ? 'canceled' : status.toLowerCase(), message }
}

/** What a call is answered when it fails here. */
export function failureResponse(call: RemoteCall, status: StatusName, message: string): CallResponse {
  const headers = { 'content-type': call.contentType }
  switch (call.form) {
    case 'grpc':
      return { status: 200, headers: { ...headers, ...statusFields(status, message) }, body: undefined }
    case 'grpc-web':
    case 'grpc-web-text': {
      const fields = Object.entries(statusFields(status, message))
      const body = frame(trailersFrame, fields.map(([name, value]) => `${name}: ${value}\r\n`).join(''))
      return { status: 200, headers, body: call.form === 'grpc-web' ? body : Buffer.from(body.toString('base64')) }
    }
    case 'connect-stream': {
      const body = frame(endOfStream, JSON.stringify({ error: connectError(status, message) }))
      return { status: 200, headers, body }
    }
    default:
      return {
        status: httpStatusOf(status),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(connectError(status, message))),
      }
  }
}
