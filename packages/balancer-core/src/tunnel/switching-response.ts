import { validateHeaderName, validateHeaderValue } from 'node:http'
import { toFields, type HeaderFields } from '../headers/fields.ts'

/** A response that switches has no body (RFC 9110 §15.2.2, RFC 9112 §6.3). */
const ofBodies = new Set(['content-length'])
/** Over HTTP/2 there is no key either (RFC 8441 §5). */
const ofKeys = new Set(['sec-websocket-accept', ...ofBodies])

/**
 * The head of the 101 for an HTTP/1.1 client. `fields` are flat pairs without those of the connection.
 * @throws TypeError for a value that must not be sent
 */
export function switchingHead(protocol: string, fields: readonly string[]): string {
  let head = `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n`
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    const value = fields[index + 1]!
    validateHeaderValue(name, value)
    if (!ofBodies.has(name.toLowerCase())) head += `${name}: ${value}\r\n`
  }
  return `${head}\r\n`
}

/**
 * The fields of the 200 that opens a WebSocket over HTTP/2 (RFC 8441 §5), from such pairs.
 * @throws TypeError for a name or value that must not be sent
 */
export function openingFields(fields: readonly string[]): HeaderFields {
  const opening: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase()
    const value = fields[index + 1]!
    validateHeaderName(name)
    validateHeaderValue(name, value)
    if (!ofKeys.has(name)) opening.push(name, value)
  }
  return { ':status': 200, ...toFields(opening) }
}
