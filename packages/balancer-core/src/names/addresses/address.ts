// Room `names/addresses`: addresses of one name, and which of them could not be reached lately.
import { isIP, SocketAddress } from 'node:net'

/** IP version of an address. */
export type Family = 4 | 6

/** An IP address in the form that sockets report. */
export interface Address {
  readonly address: string
  readonly family: Family
}

/** Undefined for anything that is no IP address. An IPv6 address may carry a zone (RFC 4007 §11). */
export function addressOf(text: string): Address | undefined {
  const family = isIP(text)
  if (family === 0) return undefined
  if (family === 4) return { address: text, family: 4 }
  const [plain, zone] = text.split('%')
  const { address } = new SocketAddress({ address: plain!, family: 'ipv6' })
  return { address: zone === undefined ? address : `${address}%${zone}`, family: 6 }
}
