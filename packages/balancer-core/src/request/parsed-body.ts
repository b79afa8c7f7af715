import type { IncomingMessage } from 'node:http'
import { stringify, type ParsedUrlQueryInput } from 'node:querystring'

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** With JSON, every value is a body: `null`, `false`, `0` and `""` too. */
export function isJson(raw: IncomingMessage): boolean {
  return /(?:[/+]json|\/json-rpc|\/jsonrequest)$/.test(mediaTypeOf(raw))
}

/** Its length equals `Content-Length`: the parser has kept the bytes or text unchanged. */
export function isUntouched(body: string | Buffer, { headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined && Buffer.byteLength(body) === Number(headers['content-length'])
}

/**
 * Is a string that came as JSON the original text? A quoted string is longer than its content, except with invalid
 * UTF-8 (replacement characters) or a compressed body.
 */
function isUnparsed(text: string, raw: IncomingMessage): boolean {
  return isUntouched(text, raw) && !text.includes('\uFFFD') && raw.headers['content-encoding'] === undefined
}

function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every((one) => typeof one !== 'object') : typeof value !== 'object'
}

/**
 * Serialises a body that the app's parser has parsed, so that a backend reads the same from it. A string that came as
 * JSON is written as a JSON string, unless it is the original text.
 * @throws TypeError for a value that cannot be written in the client's content type
 */
export function written(body: unknown, raw: IncomingMessage): string {
  if (typeof body === 'string' && (!isJson(raw) || isUnparsed(body, raw))) return body
  const type = mediaTypeOf(raw)
  if (isJson(raw)) {
    const text = JSON.stringify(body) as string | undefined
    if (text !== undefined) return text
  } else if (type === 'application/x-www-form-urlencoded' && typeof body === 'object' && body !== null) {
    // Nested values have no form that every backend reads in the same way.
    if (Object.values(body).every(isFlat)) return stringify(body as ParsedUrlQueryInput)
  }
  throw new TypeError(`A parsed body of type '${type}' cannot be forwarded: leave it a stream, a Buffer or a string`)
}
