import { quoted } from './quoted.ts'

/** `host:port`: an IPv4 address, an IPv6 address in brackets, or a name; and not the beginning of a URL. */
const hostAndPort = /^(?!https?:)(?:\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+):\d{1,5}$/i

/** The URL for which an address may stand: `http://` may be left out before `host:port`. Anything else as it is. */
export function urlOf(address: string): string {
  return hostAndPort.test(address) ? `http://${address}` : address
}

/** Parses the address of a server, an origin of HTTP, or says what is wrong with it. */
export function originOf(text: string): { readonly origin: string } | { readonly fault: string } {
  const given = urlOf(text)
  const url = URL.parse(given)
  if (url === null) return { fault: `${quoted(text)} is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000` }
  if (!/^https?:\/\//i.test(given)) return { fault: `${quoted(text)} must begin with http:// or https://` }
  if (url.username !== '' || url.password !== '') return { fault: 'must not carry credentials' }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return { fault: `${quoted(text)} must be an origin, without a path` }
  return { origin: url.origin }
}
