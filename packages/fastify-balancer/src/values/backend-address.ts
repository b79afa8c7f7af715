import { quoted, readAddress } from '@fastify-balancer/option-schema'
import { wrong } from './wrong-arguments.ts'

/** A backend of the command line. */
export interface BackendAddress {
  /** An address, as the option `backends` takes it. */
  readonly url: string
  readonly weight?: number
}

const mostWeight = 65_535

/** The address that is meant by a URL, `host:port`, `:port`, a port, or the path of a Unix socket behind `unix:`. */
function address(text: string): string {
  if (/^:?\d+$/.test(text)) return portOfThisMachine(text.replace(':', ''))
  const read = readAddress(text)
  if ('url' in read) return read.url
  const url = URL.parse(text)
  throw wrong(url === null || (url.hostname === '' && !text.startsWith('unix:')) ? notAnAddress(text) : read.fault)
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
  const [, given = text, share] = /^(.+)=([^=?&]*)$/.exec(text) ?? []
  if (share === undefined || given.includes('?')) return { url: address(text) }
  const weight = Number(share)
  if (!/^\d+$/.test(share) || weight < 1 || weight > mostWeight)
    throw wrong(`the weight of ${quoted(given)} must be a whole number from 1 to ${mostWeight}, not ${quoted(share)}`)
  return { url: address(given), weight }
}
