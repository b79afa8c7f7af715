// Room `request`: validates requests of clients, and turns them into requests to backends.
import type { FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { AttemptRequest } from '../attempt/attempt-headers.ts'
import { areSameAuthority, hostOf } from '../headers/authority.ts'
import { isForeignVersion } from './http-version.ts'
import { asteriskTarget, faultOf, targetOf } from './judge-request.ts'
import { isDistrusted } from './pipelining.ts'
import type { Backend } from '../backends/backend.ts'
import type { TimeoutOptions } from '../backends/pool-options.ts'
import { HeldBody } from '../connections/held-body.ts'
import { bodyOf, RequestFault, smallLengthOf } from './request-body.ts'
import type { ForwardedOptions } from './forwarded-options.ts'
import { requestHeaders } from './request-headers.ts'
import { canTrail, RequestTrailers } from './request-trailers.ts'
import { hasDotSegments, withoutQuery } from '../paths/path-spellings.ts'
import type { PathGuard } from '../paths/path-guard.ts'
import { isMalformed, restoreUrl } from '../paths/unroutable.ts'
import type { PrefixChange } from '../rewriting/prefix-change.ts'
import type { RequestRewrite } from '../rewriting/request-rewrite.ts'
import { toFields, toFlat } from '../headers/fields.ts'

/** How one route forwards requests. */
export interface RequestRules {
  readonly forwarded: ForwardedOptions
  /** The Host that backends see: `preserve`, `backend`, or this text. */
  readonly host: string
  /** The header that carries the request's id, if any. */
  readonly requestId: string | false
  readonly rewrite: RequestRewrite | undefined
  /** What takes the place of the prefix, if anything does. */
  readonly prefix: PrefixChange | undefined
  /** The path must stay below the prefix. */
  readonly confined: boolean
  /** Refuses paths that may mean another route; undefined with `paths: 'as-is'`. */
  readonly guard: PathGuard | undefined
}

type Params = Readonly<Record<string, unknown>>

/** The request, whichever backend is picked. */
export interface Outgoing {
  method: string
  path: string
  /** Flat pairs. Without a Host, each backend gets its own. */
  headers: string[]
  body: Readable | Buffer | null
  /** The declared length of a body that may be taken as one Buffer; 0 when it must be streamed. */
  smallLength: number
  /** What may follow a body that is streamed; undefined if nothing can. */
  trailers: RequestTrailers | undefined
  /** The client's connection: authenticated backend connections belong to it. */
  readonly client: Socket
  /** The protocols that it may be switched to: its `Upgrade` field; undefined for an ordinary request. */
  upgrade: string | undefined
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expects: boolean
}

/**
 * Validates a request and builds the one to send.
 * @throws RequestFault when it must not be forwarded
 */
export function outgoing(request: FastifyRequest, rules: RequestRules): Outgoing {
  const { raw } = request
  const { headers, method = 'GET' } = raw
  if (restoreUrl(raw) && isMalformed(raw.url)) throw new RequestFault('malformed percent-encoding')
  const { prefix, confined, guard, host, forwarded } = rules
  if (isForeignVersion(raw)) throw new RequestFault(`HTTP/${raw.httpVersion} over HTTP/1.1`, 'unsupported-version')
  const fault = isDistrusted(raw.socket) ? 'it follows a malformed request on the same connection' : faultOf(raw)
  if (fault !== undefined) throw new RequestFault(fault)
  const isAsterisk = method === 'OPTIONS' && raw.url === '*'
  const named = hostOf(headers)
  if (isAsterisk && !named) throw new RequestFault('OPTIONS * without a host')
  const target = isAsterisk ? asteriskTarget(named!) : targetOf(raw.url ?? '')
  if (target === undefined) throw new RequestFault('unacceptable request target')
  if (target.authority !== undefined && !areSameAuthority(target.authority, named ?? '', schemeOf(raw.url!)))
    throw new RequestFault('its target and its Host header name different hosts')
  if (guard !== undefined && !isAsterisk) {
    const unclear = guard.faultOf(method, target.path, headers)
    if (unclear !== undefined) throw new RequestFault(unclear)
  } else if (confined && climbs(target.path)) throw new RequestFault('its path leaves the prefix')
  const isKept = prefix === undefined || isAsterisk
  const path = isKept ? target.path : prefix.apply(target.path, request.params as Params, guard !== undefined)
  if (path === undefined) throw new RequestFault('its prefix cannot be told from the rest of its path')
  const { body, replaced } = bodyOf(request)
  const authority = target.authority ?? named
  const isOriginal = body === raw
  const mayTrail = isOriginal && canTrail(raw)
  return {
    method,
    path,
    headers: requestHeaders(request, {
      forwarded,
      host: host === 'preserve' ? authority : host === 'backend' ? undefined : host,
      authority: target.authority,
      requestId: rules.requestId,
      bodyReplaced: replaced,
      mayTrail,
    }),
    body,
    smallLength: isOriginal ? smallLengthOf(raw) : 0,
    trailers: mayTrail ? new RequestTrailers(request, forwarded) : undefined,
    client: raw.socket,
    upgrade: undefined,
    expects: headers.expect !== undefined && isOriginal && raw.httpVersion !== '1.0',
  }
}

function schemeOf(absolute: string): 'http' | 'https' {
  return /^https:/i.test(absolute) ? 'https' : 'http'
}

function climbs(path: string): boolean {
  return hasDotSegments(withoutQuery(path))
}

/** Longest wait for a backend's `100 Continue` (ms): as long as curl waits. */
const longestPatience = 1000

/** The body, if the client still holds it back and the backend can be asked for it. */
function heldBody({ expects, body, trailers }: Outgoing, timeouts: TimeoutOptions): HeldBody | undefined {
  if (!expects) return undefined
  const raw = body as IncomingMessage
  if (raw.readableLength > 0 || raw.readableFlowing !== null) return undefined
  const patience = Math.min(timeouts.continue || longestPatience, longestPatience)
  const length = trailers === undefined ? Number(raw.headers['content-length']) : undefined
  return new HeldBody(raw, length, trailers, patience)
}

/** The request for undici. It gets the backend's own name: undici would reconnect whenever Host differs. */
export function attemptRequest(
  out: Outgoing,
  { hostname: servername, base }: Pick<Backend, 'hostname' | 'base'>,
  timeouts: TimeoutOptions,
): AttemptRequest {
  const { method, headers, body, client, trailers } = out
  // `OPTIONS *` concerns the whole server.
  const path = base === '' || !out.path.startsWith('/') ? out.path : base + out.path
  const options: AttemptRequest & { servername: string } = { method, path, headers, body, client, servername }
  if (out.upgrade !== undefined) return { ...options, switchTo: out.upgrade }
  if (trailers !== undefined) options.trailers = trailers
  const held = heldBody(out, timeouts)
  // The response may come before it is decided whether to send the body: the connection carries nothing else meanwhile.
  if (held !== undefined) return { ...options, body: null, reset: true, held }
  // undici would close the connection after HEAD, for fear of servers that send a body.
  return method === 'HEAD' && body === null ? { ...options, reset: false } : options
}

/** Lets the user's function change the request. The result is validated again; its errors are passed on unchanged. */
export function rewriteOutgoing(out: Outgoing, request: FastifyRequest, { rewrite, guard }: RequestRules): void {
  if (rewrite === undefined) return
  const message = { method: out.method, path: out.path, headers: toFields(out.headers) }
  rewrite({ in: request, out: message })
  if (targetOf(message.path)?.path !== message.path)
    throw new TypeError(`rewrite.request set the path '${message.path}'`)
  if (message.path !== out.path && guard !== undefined) {
    const unclear = guard.faultOfMade(message.method, message.path, request.raw.headers)
    if (unclear !== undefined) throw new TypeError(`rewrite.request set the path '${message.path}': ${unclear}`)
  }
  out.method = message.method
  out.path = message.path
  out.headers = toFlat(message.headers)
  // With a length, no trailers can follow over HTTP/1.1.
  if (message.headers['content-length'] !== undefined) out.trailers = undefined
}
