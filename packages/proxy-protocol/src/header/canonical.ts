import { isIPv6, SocketAddress } from 'node:net'

/** An address in the form that Node's sockets give it (RFC 5952), so that it compares equal however it was sent. */
export function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address
}
