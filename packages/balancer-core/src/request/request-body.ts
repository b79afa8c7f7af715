import type { FastifyRequest } from 'fastify'
import { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { isJson, isUntouched, written } from './parsed-body.ts'
import { upgradeOf } from './upgrade-request.ts'

/** Bodies up to this size are sent as one Buffer. */
const maxSmallBody = 65_536

/** A request that must not be forwarded, and why: for the log, not for the client. */
export class RequestFault extends Error {
  readonly reason: 'bad-request' | 'unsupported-version' | 'upgrade-with-body' | 'upgrade-required'

  constructor(message: string, reason: RequestFault['reason'] = 'bad-request') {
    super(message)
    this.reason = reason
  }
}

/** The body to send. */
export interface RequestBody {
  readonly body: Readable | Buffer | null
  /** It is not the client's original body, so the client's length and encoding do not apply. */
  readonly replaced: boolean
}

/**
 * Over HTTP/1.1 and with `inject`, only a request with framing has a body; over HTTP/2 the stream tells, unless what it
 * carries is another protocol.
 */
export function hasBody(raw: IncomingMessage & { stream?: { endAfterHeaders: boolean } }): boolean {
  const { headers, httpVersionMajor, stream } = raw
  if (httpVersionMajor === 2 && upgradeOf(raw) === undefined) return stream?.endAfterHeaders === false
  const { 'transfer-encoding': coding, 'content-length': length } = headers
  return coding !== undefined || (length !== undefined && Number(length) > 0)
}

/** The client is still sending, so its connection cannot be used for another request. */
export function isUploading({ raw }: FastifyRequest): boolean {
  return !raw.complete && hasBody(raw)
}

/** The client has gone before the end of its request. Its response may be told of that only later. */
export function isCutOff({ raw }: FastifyRequest): boolean {
  const { stream } = raw as IncomingMessage & { stream?: { destroyed: boolean } }
  if (stream === undefined) return raw.destroyed && !raw.complete
  // Over HTTP/2, Node calls a request complete that was cut off.
  return stream.destroyed && !raw.readableEnded
}

/** The body as the app has left it: original, replaced by a hook, or parsed by one of its own routes. */
export function bodyOf(request: FastifyRequest): RequestBody {
  const { raw } = request
  const body: unknown = request.body
  const isRead = raw.readableFlowing !== null
  if (body === undefined || (body === null && !(isRead && isJson(raw))) || body === raw) {
    const isUnframed = raw.headers['transfer-encoding'] === undefined && raw.headers['content-length'] === undefined
    // A parsed body exists even without framing, as with `inject`.
    if (!hasBody(raw) && !(body === raw && isUnframed)) return { body: null, replaced: false }
    if (body !== raw && isRead) {
      // No parser runs for these methods, so a body changed by a hook is not accessible.
      if (raw.method === 'GET' || raw.method === 'HEAD' || raw.method === 'TRACE')
        throw new RequestFault('its body was read before it was forwarded')
      throw new TypeError('A parser has read the body and returned nothing that could be forwarded')
    }
    // undici destroys a stream after sending it: with `inject` that would look like a client that has gone.
    const isInjected = raw.httpVersionMajor === 1 && !(raw instanceof IncomingMessage)
    return { body: isInjected ? (raw as Readable).pipe(new PassThrough()) : raw, replaced: false }
  }
  if (body instanceof Readable) return { body, replaced: true }
  if (!(body instanceof Uint8Array)) return { body: Buffer.from(written(body, raw)), replaced: true }
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body)
  // Bytes that were not decompressed are still compressed.
  return { body: bytes, replaced: !isUntouched(bytes, raw) }
}

/** It has been forwarded before as a stream, at least a part of it. */
export function isSpent(request: FastifyRequest): boolean {
  const { body } = bodyOf(request)
  return body instanceof Readable && body.readableDidRead
}

/** The length of a body that is small enough to be read completely; 0 for any other. */
export function smallLengthOf({ headers, httpVersionMajor }: IncomingMessage): number {
  // Reading the body would send `100 Continue` before there is a connection to a backend.
  if (headers.expect !== undefined) return 0
  // Nor could it have trailers, which HTTP/2 allows behind a body of known length.
  if (headers.trailer !== undefined && httpVersionMajor === 2) return 0
  const length = Number(headers['content-length'] ?? 0)
  return length <= maxSmallBody ? length : 0
}

/** A small body as one Buffer if it has arrived: cheaper than a stream, and it can be sent again. */
export function takeSmallBody(raw: IncomingMessage, smallLength: number): Buffer | undefined {
  return raw.readableLength < smallLength ? undefined : ((raw.read() as Buffer | null) ?? undefined)
}

/** A replacement of the body, made by a hook of the app, may fail by itself: then the client gets that error. */
export function brokenBody(body: Readable | Buffer | null, { raw }: FastifyRequest): Error | undefined {
  return body instanceof Readable && body !== raw ? (body.errored ?? undefined) : undefined
}
