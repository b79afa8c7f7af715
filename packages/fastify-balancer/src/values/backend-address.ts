import { quoted } from '@fastify-balancer/option-schema'
import { wrong } from './wrong-arguments.ts'

/** A backend of the command line. */
export interface BackendAddress {
  /** An origin. */
  readonly url: string
  readonly weight?: number
}

const mostWeight = 65_535

/** The origin that is meant by a URL, `host:port`, `:port` or a port. */
function origin(text: string): string {
  if (/^:?\d+$/.test(text)) return portOfThisMachine(text.replace(':', ''))
  const url = URL.parse(/^(\[[\da-f:.]+\]|[^/:]+):\d+$/i.test(text) ? `http://${text}` : text)
  if (url === null || url.hostname === '') throw wrong(notAnAddress(text))
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(`${quoted(text)} must begin with http:// or https://`)
  if (url.href !== `${url.origin}/`) throw wrong(`${quoted(text)} must be scheme, host and port alone`)
  return url.origin
}

function portOfThisMachine(text: string): string {
  const port = Number(text)
  if (port < 1 || port > 65_535) throw wrong(`${quoted(text)} is not a port: expected 1 to 65535`)
  return `http://127.0.0.1:${port}`
}

function notAnAddress(text: string): string {
  if (/^[\w.-]+$/.test(text)) return `${quoted(text)} has no port: expected an address such as ${text}:3000`
  return `${quoted(text)} is not an address such as http://127.0.0.1:3001`
}

/**
 * Reads the address of a backend, with the weight that may stand behind it: `http://a:3000=5`.
 * @throws CommandError
 */
export function readBackendAddress(text: string): BackendAddress {
  const [, address = text, given] = /^(.+)=([^=?&]*)$/.exec(text) ?? []
  if (given === undefined || address.includes('?')) return { url: origin(text) }
  const weight = Number(given)
  if (!/^\d+$/.test(given) || weight < 1 || weight > mostWeight)
    throw wrong(`the weight of ${quoted(address)} must be a whole number from 1 to ${mostWeight}, not ${quoted(given)}`)
  return { url: origin(address), weight }
}
