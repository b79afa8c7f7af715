import type { IncomingMessage } from 'node:http'
import { stringify, type ParsedUrlQueryInput } from 'node:querystring'

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** Of JSON, every value is a body of its own: `null`, `false`, `0` and `""` too. */
export function isJson(raw: IncomingMessage): boolean {
  return /(?:[/+]json|\/json-rpc|\/jsonrequest)$/.test(mediaTypeOf(raw))
}

/** It has the length that the client named: the parser has left the bytes, or the text, as they came. */
export function isUntouched(body: string | Buffer, { headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined && Buffer.byteLength(body) === Number(headers['content-length'])
}

/**
 * Is text that was named JSON what the client has sent? Text in quotes is longer than what is in it, but for what is not
 * the client's own: characters that stand for bytes that are no UTF-8, and what was packed.
 */
function isUnparsed(text: string, raw: IncomingMessage): boolean {
  return isUntouched(text, raw) && !text.includes('\uFFFD') && raw.headers['content-encoding'] === undefined
}

function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every((one) => typeof one !== 'object') : typeof value !== 'object'
}

/**
 * Writes what a parser of the app's has made of a body, so that a backend reads the same from it. Text that was named JSON
 * is a JSON string, unless it is what the client has sent.
 * @throws TypeError for what cannot be written in the form that the client named
 */
export function written(body: unknown, raw: IncomingMessage): string {
  if (typeof body === 'string' && (!isJson(raw) || isUnparsed(body, raw))) return body
  const type = mediaTypeOf(raw)
  if (isJson(raw)) {
    const text = JSON.stringify(body) as string | undefined
    if (text !== undefined) return text
  } else if (type === 'application/x-www-form-urlencoded' && typeof body === 'object' && body !== null) {
    // Nested values have no one form that every backend reads alike.
    if (Object.values(body).every(isFlat)) return stringify(body as ParsedUrlQueryInput)
  }
  throw new TypeError(`A parsed body of type '${type}' cannot be forwarded: leave it a stream, a Buffer or a string`)
}
