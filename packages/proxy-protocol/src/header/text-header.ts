import { isIPv4, isIPv6 } from 'node:net'
import { canonical } from './canonical.ts'
import type { Ends } from './ends.ts'
import { HeaderFault, type Header } from './header.ts'

const prefix = Buffer.from('PROXY ')

/** The longest line, with its CRLF (§2.1). */
const longest = 107

/** Without leading zeros (§2.1). */
const number = /^(?:0|[1-9]\d{0,4})$/

/** Does a header of version 1 begin here, as far as can be seen? */
export function isText(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length)
  return bytes.subarray(0, length).equals(prefix.subarray(0, length))
}

function portOf(text: string): number {
  const port = Number(text)
  if (!number.test(text) || port > 65_535) throw new HeaderFault('its port is not a number from 0 to 65535')
  return port
}

function endsOf(fields: readonly string[]): Ends {
  const [protocol, client = '', server = '', clientPort = '', serverPort = '', ...rest] = fields
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isIPv6 : undefined
  if (isAddress === undefined) throw new HeaderFault('its protocol is not TCP4, TCP6 or UNKNOWN')
  if (rest.length > 0) throw new HeaderFault('it has more than two addresses and two ports')
  for (const address of [client, server])
    // A zone means something to the proxy's machine only.
    if (!isAddress(address) || address.includes('%')) throw new HeaderFault(`it has no valid address of ${protocol}`)
  return {
    family: protocol === 'TCP4' ? 'IPv4' : 'IPv6',
    client: { address: canonical(client), port: portOf(clientPort) },
    server: { address: canonical(server), port: portOf(serverPort) },
  }
}

/** Version 1: a line of text (§2.1). @throws HeaderFault */
export function readTextHeader(bytes: Buffer): Header | undefined {
  const end = bytes.subarray(0, longest).indexOf('\r\n')
  if (end === -1) {
    if (bytes.length >= longest) throw new HeaderFault(`its line is longer than ${longest} bytes`)
    return undefined
  }
  const [protocol, ...fields] = bytes.toString('latin1', prefix.length, end).split(' ')
  const length = end + 2
  // Whatever follows UNKNOWN is to be ignored.
  if (protocol === 'UNKNOWN') return { length, ends: undefined }
  return { length, ends: endsOf([protocol!, ...fields]) }
}
