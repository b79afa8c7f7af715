import { quoted } from './quoted.ts'

/** `host:port`: an IPv4 address, an IPv6 address in brackets, or a name; and not the beginning of a URL. */
const hostAndPort = /^(?!https?:)(?:\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+):\d{1,5}(?:\/[^?#]*)?$/i

/** A Unix socket as nginx writes it, with the path that requests get before their own: `unix:/run/a.sock:/base`. */
const unixSocket = /^(?:(https?):\/\/)?unix:(?!\d{1,5}(?:\/|$))([^:?#]*)(?::([^?#]*))?$/i

/** The longest path of a Unix socket on Linux (bytes); other systems have less. */
const longestPath = 107

/** The address of a server, in parts. */
export interface ServerAddress {
  /** All of it, written in one way: `http://10.0.0.1:3000/base`, `unix:/run/a.sock:/base`. */
  readonly url: string
  /** What its requests are for: of a Unix socket, `http://localhost`. */
  readonly origin: string
  /** The path of its Unix socket, if it has one. */
  readonly socketPath: string | undefined
  /** What the paths of all requests to it begin with, without a slash at its end; empty for most. */
  readonly base: string
}

interface Fault {
  readonly fault: string
}

/** The URL for which an address may stand: `http://` may be left out before `host:port`. Anything else as it is. */
export function urlOf(address: string): string {
  return hostAndPort.test(address) ? `http://${address}` : address
}

function baseOf(pathname: string, text: string): { readonly base: string } | Fault {
  const base = pathname.replace(/\/+$/, '')
  return base.includes('//') ? { fault: `${quoted(text)} has two slashes in its path` } : { base }
}

function unixAddress(text: string, [, scheme = 'http', socketPath = '', given]: string[]): ServerAddress | Fault {
  // oxlint-disable-next-line no-control-regex
  if (!socketPath.startsWith('/') || /[\u0000-\u001f\u007f]|\/$/.test(socketPath))
    return { fault: `${quoted(text)} must name a socket by its whole path, such as unix:/run/app.sock` }
  if (Buffer.byteLength(socketPath) > longestPath)
    return { fault: `${quoted(text)}: the path of a socket has at most ${longestPath} bytes` }
  const origin = `${scheme.toLowerCase()}://localhost`
  const path = given || '/'
  const read = path.startsWith('/') ? baseOf(new URL(origin + path).pathname, text) : undefined
  if (read === undefined) return { fault: `${quoted(text)} must have a path that begins with / behind its socket` }
  if ('fault' in read) return read
  const { base } = read
  const start = origin === 'http://localhost' ? '' : 'https://'
  return { url: `${start}unix:${socketPath}${base === '' ? '' : `:${base}`}`, origin, socketPath, base }
}

/** Parses the address of a server, which may be a Unix socket, and may have a path; or says what is wrong with it. */
export function readAddress(text: string): ServerAddress | Fault {
  const unix = unixSocket.exec(text)
  if (unix !== null) return unixAddress(text, unix)
  const given = urlOf(text)
  const url = URL.parse(given)
  if (url === null) return { fault: `${quoted(text)} is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000` }
  if (!/^https?:\/\//i.test(given)) return { fault: `${quoted(text)} must begin with http://, https:// or unix:` }
  if (url.username !== '' || url.password !== '') return { fault: 'must not carry credentials' }
  if (url.search !== '' || url.hash !== '') return { fault: `${quoted(text)} must be an address without ? and #` }
  const read = baseOf(url.pathname, text)
  return 'fault' in read
    ? read
    : { url: url.origin + read.base, origin: url.origin, socketPath: undefined, base: read.base }
}

/** The parts of an address that is known to be sound. @throws TypeError if it is not */
export function addressIn(url: string): ServerAddress {
  const read = readAddress(url)
  if ('fault' in read) throw new TypeError(read.fault)
  return read
}

/** Parses the address of a server, an origin of HTTP, or says what is wrong with it. */
export function originOf(text: string): { readonly origin: string } | Fault {
  const read = readAddress(text)
  const isOther = 'fault' in read ? URL.canParse(text) && !/^https?:/i.test(urlOf(text)) : read.socketPath !== undefined
  if (isOther) return { fault: `${quoted(text)} must begin with http:// or https://` }
  if ('fault' in read) return read
  const { origin, base } = read
  return base === '' ? { origin } : { fault: `${quoted(text)} must be an origin, without a path` }
}
