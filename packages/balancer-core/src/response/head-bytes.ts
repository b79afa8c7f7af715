import { ServerResponse } from 'node:http'
import type { HeaderFields } from '../headers/fields.ts'

/** Sends the headers before there is a body, byte for byte: `flushHeaders` would write them in UTF-8. */
export function flushHead(raw: ServerResponse): void {
  if (raw.req.httpVersionMajor === 2) raw.flushHeaders()
  else raw.write('', 'latin1')
}

function isBeyondAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return true
  return false
}

// oxlint-disable-next-line typescript/unbound-method -- called with its response
const { end } = ServerResponse.prototype

/** Ends with a Buffer instead of text. */
function endWithBytes(this: ServerResponse, chunk?: unknown, ...rest: unknown[]): ServerResponse {
  const body = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  return Reflect.apply(end, this, [body, ...rest])
}

/**
 * Node writes headers together with a text body, in the encoding of that: header bytes above 0x7F would become two
 * each.
 */
export function keepBytes(raw: ServerResponse, headers: HeaderFields): void {
  if (raw.req.httpVersionMajor === 2) return
  for (const name in headers) {
    for (const value of [headers[name]].flat()) {
      if (typeof value !== 'string' || !isBeyondAscii(value)) continue
      raw.end = endWithBytes as ServerResponse['end']
      return
    }
  }
}
