import type { FastifyRequest } from 'fastify'
import { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { isJson, isUntouched, written } from './parsed-body.ts'

/** Bodies up to this size are sent as one Buffer if they have arrived by the time they are asked for. */
const maxSmallBody = 65_536

/** A request that must not be forwarded, and why: for the log, not for the client. */
export class RequestFault extends Error {
  readonly reason: 'bad-request' | 'unsupported-version'

  constructor(message: string, reason: RequestFault['reason'] = 'bad-request') {
    super(message)
    this.reason = reason
  }
}

/** The body to send. */
export interface RequestBody {
  readonly body: Readable | Buffer | null
  /** It is not what the client sent: the length and coding that the client named are not its own. */
  readonly replaced: boolean
}

/** Over HTTP/1.1 and with `inject`, only what has framing has a body; over HTTP/2 the stream says. */
function hasBody(raw: IncomingMessage & { stream?: { endAfterHeaders: boolean } }): boolean {
  const { headers, httpVersionMajor, stream } = raw
  if (httpVersionMajor === 2) return stream?.endAfterHeaders === false
  const { 'transfer-encoding': coding, 'content-length': length } = headers
  return coding !== undefined || (length !== undefined && Number(length) > 0)
}

/** The client has not finished sending: its connection cannot be used for another request. */
export function isUploading({ raw }: FastifyRequest): boolean {
  return !raw.complete && hasBody(raw)
}

/** The body as the app left it: untouched, replaced by a hook, or parsed by a route of its own. */
export function bodyOf(request: FastifyRequest): RequestBody {
  const { raw } = request
  const body: unknown = request.body
  const isRead = raw.readableFlowing !== null
  if (body === undefined || (body === null && !(isRead && isJson(raw))) || body === raw) {
    const isUnframed = raw.headers['transfer-encoding'] === undefined && raw.headers['content-length'] === undefined
    // A body that a parser has been given needs no framing to be there: with `inject` it has none.
    if (!hasBody(raw) && !(body === raw && isUnframed)) return { body: null, replaced: false }
    if (body !== raw && isRead) {
      // No parser is run for these, so what a hook has made of the body is out of reach.
      if (raw.method === 'GET' || raw.method === 'HEAD' || raw.method === 'TRACE')
        throw new RequestFault('its body was read before it was forwarded')
      throw new TypeError('A parser has read the body and left nothing that could be forwarded')
    }
    // undici destroys what it has sent: `inject` would take that for a client that has gone.
    const isInjected = raw.httpVersionMajor === 1 && !(raw instanceof IncomingMessage)
    return { body: isInjected ? (raw as Readable).pipe(new PassThrough()) : raw, replaced: false }
  }
  if (body instanceof Readable) return { body, replaced: true }
  if (!(body instanceof Uint8Array)) return { body: Buffer.from(written(body, raw)), replaced: true }
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body)
  // Packed bytes that nobody has unpacked are still packed.
  return { body: bytes, replaced: !isUntouched(bytes, raw) }
}

/** The length of a body that may be taken whole once it has arrived; 0 for any other. */
export function smallLengthOf({ headers }: IncomingMessage): number {
  // Reading the body would tell the client to go on with it, before there is a connection to send it over.
  if (headers.expect !== undefined) return 0
  const length = Number(headers['content-length'] ?? 0)
  return length <= maxSmallBody ? length : 0
}

/** A small body whole if it has arrived: one Buffer is cheaper than a stream, and can be sent again. */
export function takeSmallBody(raw: IncomingMessage, smallLength: number): Buffer | undefined {
  return raw.readableLength < smallLength ? undefined : ((raw.read() as Buffer | null) ?? undefined)
}

/** What a hook of the app's has put in place of the body may fail by itself: that is for the client to hear. */
export function brokenBody(body: Readable | Buffer | null, { raw }: FastifyRequest): Error | undefined {
  return body instanceof Readable && body !== raw ? (body.errored ?? undefined) : undefined
}
