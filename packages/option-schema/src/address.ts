/** `host:port`: an IPv4 address, an IPv6 address in brackets, or a name; and not the beginning of a URL. */
const hostAndPort = /^(?!https?:)(?:\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+):\d{1,5}$/i

/** The URL for which an address may stand: `http://` may be left out before `host:port`. Anything else as it is. */
export function urlOf(address: string): string {
  return hostAndPort.test(address) ? `http://${address}` : address
}
