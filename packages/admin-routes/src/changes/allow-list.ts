import { quoted, readAddress } from '@fastify-balancer/option-schema'
import { BlockList, isIP } from 'node:net'

const network = /^(?<address>[\d.]+|[\da-f:.]+)\/(?<bits>\d{1,3})$/i
const host =
  /^(?:(?<scheme>https?):\/\/)?(?<name>(?:\*\.)?[^\s*.:@/?#\\[\]%]+(?:\.[^\s*.:@/?#\\[\]%]+)*\.?|\*|\[[\da-f:.]+\])(?::(?<port>\d{1,5}))?(?<slash>\/?)$/i

interface HostPattern {
  readonly protocol: string | undefined
  readonly name: string
  readonly port: number | undefined
}

function networkOf(pattern: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const { address = '', bits = '' } = network.exec(pattern)?.groups ?? {}
  const version = isIP(address)
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return undefined
  return { address, bits: Number(bits), family: version === 4 ? 'ipv4' : 'ipv6' }
}

function defaultPort(protocol: string | undefined): number | undefined {
  return protocol === undefined ? undefined : protocol === 'https:' ? 443 : 80
}

/** A trailing dot marks an absolute name (RFC 1034 §3.1); it does not matter here. */
function withoutDot(hostname: string): string {
  return hostname.replace(/\.$/, '')
}

/** Normalised as in a URL: `[::0:1]` becomes `[::1]`, `bücher` becomes `xn--bcher-kva`. */
function normalName(name: string): string | undefined {
  const star = name.startsWith('*.') ? '*.' : ''
  const hostname = URL.parse(`http://${name.slice(star.length)}`)?.hostname
  return hostname === undefined ? undefined : star + withoutDot(hostname)
}

function hostOf(pattern: string): HostPattern | undefined {
  const { scheme, name, port, slash } = host.exec(pattern)?.groups ?? {}
  if (name === undefined || Number(port ?? 0) > 65_535) return undefined
  const protocol = scheme && `${scheme.toLowerCase()}:`
  // A trailing slash is only allowed after a full origin: `https://api.internal/`.
  if (slash === '/' && protocol === undefined) return undefined
  const normal = name === '*' ? name : normalName(name)
  if (normal === undefined) return undefined
  // An origin without a port has its scheme's default port (RFC 9110 §4.2).
  return { protocol, name: normal, port: port === undefined ? defaultPort(protocol) : Number(port) }
}

/** The path of a Unix socket that stands there alone. */
function socketOf(pattern: string): string | undefined {
  const read = readAddress(pattern)
  return 'fault' in read || read.base !== '' ? undefined : read.socketPath
}

/** What is wrong with a pattern, if anything. */
export function allowFault(pattern: string): string | undefined {
  if ([networkOf, socketOf, hostOf].some((read) => read(pattern) !== undefined)) return undefined
  return `${quoted(pattern)} is neither a network (10.0.0.0/8) nor a host (*.internal, 10.0.0.1:3000, https://api.internal) nor a socket (unix:/run/app.sock)`
}

function matches({ protocol, name, port }: HostPattern, url: URL): boolean {
  if (protocol !== undefined && protocol !== url.protocol) return false
  if (port !== undefined && port !== (url.port === '' ? defaultPort(url.protocol) : Number(url.port))) return false
  if (name === '*') return true
  const hostname = withoutDot(url.hostname)
  // `*` matches one or more labels, never zero.
  return name.startsWith('*.')
    ? hostname.length > name.length - 1 && hostname.endsWith(name.slice(1))
    : hostname === name
}

/**
 * The backends that may be added, whatever the paths of their addresses are. Networks match IP addresses only: a name can be pointed at any address, so names must be
 * listed themselves.
 */
export class AllowList {
  readonly #networks = new BlockList()
  readonly #hosts: HostPattern[] = []
  readonly #sockets = new Set<string>()
  readonly #all: boolean

  /** Without patterns, everything is allowed. Patterns that `allowFault` rejects match nothing. */
  constructor(patterns: readonly string[] | undefined) {
    this.#all = patterns === undefined
    for (const pattern of patterns ?? []) {
      const net = networkOf(pattern)
      const socket = socketOf(pattern)
      if (socket !== undefined) this.#sockets.add(socket)
      else if (net !== undefined) this.#networks.addSubnet(net.address, net.bits, net.family)
      else this.#hosts.push(...[hostOf(pattern)].filter((one) => one !== undefined))
    }
  }

  /**
   * May a backend with this address be added? A Unix socket only if it is listed: behind it there may be what rules this
   * machine, such as Docker.
   */
  allows(given: string): boolean {
    const read = readAddress(given)
    if ('fault' in read) return this.#all
    const { origin, socketPath } = read
    if (socketPath !== undefined) return this.#sockets.has(socketPath)
    if (this.#all) return true
    const url = new URL(origin)
    const address = url.hostname.replace(/^\[|\]$/g, '')
    const version = isIP(address)
    if (version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6')) return true
    return this.#hosts.some((one) => matches(one, url))
  }
}
