import type { FastifyRequest } from 'fastify'
import { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Forwarding } from './forwarding.ts'
import { asteriskTarget, climbs, faultOf, targetOf, withoutSegments } from './judge-request.ts'
import { isDistrusted } from './pipelined.ts'
import { requestHeaders } from './request-headers.ts'
import { toFields, toFlat } from './rewrite.ts'

/** Bodies up to this size are sent as one Buffer if they have arrived by the time they are asked for. */
const maxSmallBody = 65_536

/** What is sent to whichever backend is picked. */
export interface Outgoing {
  method: string
  path: string
  /** Flat pairs. Without a Host, each backend gets its own. */
  headers: string[]
  body: Readable | Buffer | null
  /** The declared length of a body that may be taken as one Buffer; 0 when it must be streamed. */
  smallLength: number
}

/** A request that must not be forwarded, and why: for the log, not for the client. */
export class RequestFault extends Error {}

interface Body {
  readonly body: Readable | Buffer | null
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
function bodyOf(request: FastifyRequest): Body {
  const { raw } = request
  const body: unknown = request.body
  if (body === undefined || body === null || body === raw) {
    const isUnframed = raw.headers['transfer-encoding'] === undefined && raw.headers['content-length'] === undefined
    // A body that a parser has been given needs no framing to be there: with `inject` it has none.
    if (!hasBody(raw) && !(body === raw && isUnframed)) return { body: null, replaced: false }
    // No parser is run for GET, so what a hook has made of its body is out of reach.
    if (body !== raw && raw.readableFlowing !== null)
      throw new RequestFault('its body was read before it was forwarded')
    // undici destroys what it has sent: `inject` would take that for a client that has gone.
    const isInjected = raw.httpVersionMajor === 1 && !(raw instanceof IncomingMessage)
    return { body: isInjected ? (raw as Readable).pipe(new PassThrough()) : raw, replaced: false }
  }
  if (body instanceof Readable || Buffer.isBuffer(body)) return { body, replaced: true }
  return { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), replaced: true }
}

/**
 * Judges a request and works out what to send.
 * @throws RequestFault when it must not be forwarded
 */
export function outgoing(request: FastifyRequest, forwarding: Forwarding): Outgoing {
  const { raw } = request
  const { headers, method = 'GET' } = raw
  const { segments, confined, balancer } = forwarding
  const fault = isDistrusted(raw.socket) ? 'it follows a malformed one' : faultOf(raw)
  if (fault !== undefined) throw new RequestFault(fault)
  const isAsterisk = method === 'OPTIONS' && raw.url === '*'
  const target = isAsterisk ? asteriskTarget(headers.host ?? '') : targetOf(raw.url ?? '')
  if (target === undefined) throw new RequestFault('unacceptable request target')
  if (confined && climbs(target.path)) throw new RequestFault('its path leaves the prefix')
  const path = segments === 0 ? target.path : withoutSegments(target.path, segments)
  if (path === undefined) throw new RequestFault('its path is shorter than the prefix')
  const { body, replaced } = bodyOf(request)
  const { host, forwarded } = balancer.options
  const authority = target.authority ?? headers.host ?? (headers[':authority'] as string | undefined)
  const length = body === raw && headers.expect === undefined ? Number(headers['content-length'] ?? 0) : 0
  return {
    method,
    path,
    headers: requestHeaders(request, {
      forwarded,
      host: host === 'preserve' ? authority : host === 'backend' ? undefined : host,
      authority: target.authority,
      bodyReplaced: replaced,
    }),
    body,
    smallLength: length <= maxSmallBody ? length : 0,
  }
}

/** What undici is asked to send. `hostname` is the backend's own: undici would reconnect whenever Host names another. */
export function dispatchOptions(
  { method, path, headers, body }: Outgoing,
  hostname: string,
): Dispatcher.DispatchOptions {
  const options = { method, path, headers, body, servername: hostname }
  // undici would close the connection after HEAD, for fear of servers that send a body.
  return method === 'HEAD' && body === null ? { ...options, reset: false } : options
}

/** What a hook of the app's has put in place of the body may fail by itself: that is for the client to hear. */
export function brokenBody({ body }: Outgoing, { raw }: FastifyRequest): Error | undefined {
  return body instanceof Readable && body !== raw ? (body.errored ?? undefined) : undefined
}

/** Takes a small body whole if it has arrived: one Buffer is cheaper than a stream, and can be sent again. */
export function takeSmallBody(out: Outgoing, request: FastifyRequest): void {
  const { raw } = request
  if (raw.readableLength < out.smallLength) return
  const whole = raw.read() as Buffer | null
  if (whole !== null) out.body = whole
}

/** Lets the user's hook change what is sent. What it sets is checked again, and its errors are its own. */
export function rewriteOutgoing(out: Outgoing, request: FastifyRequest, forwarding: Forwarding): void {
  const { rewrite } = forwarding
  if (rewrite.request === undefined) return
  const message = { method: out.method, path: out.path, headers: toFields(out.headers) }
  rewrite.request({ in: request, out: message })
  if (targetOf(message.path)?.path !== message.path)
    throw new TypeError(`rewrite.request set the path '${message.path}'`)
  out.method = message.method
  out.path = message.path
  out.headers = toFlat(message.headers)
}
