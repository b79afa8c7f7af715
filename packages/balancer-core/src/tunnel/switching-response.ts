import { validateHeaderValue } from 'node:http'

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
    // A response that switches has no body (RFC 9110 §15.2.2, RFC 9112 §6.3).
    if (name.toLowerCase() !== 'content-length') head += `${name}: ${value}\r\n`
  }
  return `${head}\r\n`
}
