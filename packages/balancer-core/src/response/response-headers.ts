import { isHopByHop, nominated } from '../headers/hop-by-hop.ts'
import { emptyFields, putField, type HeaderFields, type IncomingFields } from '../headers/fields.ts'

/** Settings for the response headers. */
export interface ResponseRules {
  readonly status: number
  /** No body follows: HEAD, 204, 304. */
  readonly bodyless: boolean
  /** The backend sends no body, although the client expects one. */
  readonly empty?: boolean
  /** The client accepts chunked bodies, and so trailers: not with HTTP/1.0. */
  readonly chunks: boolean
  readonly via: boolean
  /** Headers of the app's own plugins: they replace the backend's, except those that can be combined. */
  readonly own: IncomingFields
}

/** List headers, where the app's and the backend's values can be combined. */
const joined = new Set(['set-cookie', 'vary', 'link', 'server-timing'])

/** Receives one header; a name may occur several times. */
type Put<Out> = (out: Out, name: string, value: string) => void

function putEach<Out>(put: Put<Out>, out: Out, name: string, value: number | string | string[] | undefined): void {
  if (Array.isArray(value)) for (const one of value) put(out, name, one)
  else if (value !== undefined) put(out, name, String(value))
}

/** Emits the response headers: the backend's without hop-by-hop ones, and the app's. */
function gather<Out>(
  headers: IncomingFields,
  { status, bodyless, empty = bodyless, chunks, via, own }: ResponseRules,
  put: Put<Out>,
  out: Out,
): Out {
  const nominees = nominated(headers.connection as string | undefined)
  for (const name in headers) {
    if (isHopByHop(name) || (nominees !== null && nominees.has(name))) continue
    // If no trailers can follow, none may be announced: Node would throw.
    if (name === 'trailer' && (bodyless || empty || !chunks || headers['content-length'] !== undefined)) continue
    if (name === 'content-length' && (status === 204 || (empty && !bodyless))) continue
    if (Object.hasOwn(own, name) && !joined.has(name)) continue
    putEach(put, out, name, headers[name])
  }
  for (const name in own) if (Object.hasOwn(own, name)) putEach(put, out, name, own[name])
  if (empty && !bodyless) put(out, 'content-length', '0')
  if (via) put(out, 'via', '1.1 fastify-balancer')
  return out
}

function putFlat(out: string[], name: string, value: string): void {
  out.push(name, value)
}

/** The response headers, as flat pairs. */
export function responseHeaders(headers: IncomingFields, rules: ResponseRules): string[] {
  return gather(headers, rules, putFlat, [])
}

/** The same by name. */
export function responseFields(headers: IncomingFields, rules: ResponseRules): HeaderFields {
  return gather(headers, rules, putField, emptyFields())
}
