import { addressIn } from '@fastify-balancer/option-schema'
import type { LookupFunction } from 'node:net'
import type { HostName } from '../names/host-name.ts'
import type { Whereabouts } from '../names/host-names.ts'
import { localHeader, type ProxyVersion } from './proxy-header.ts'

/** Where a backend is, and how each connection to it begins. Never changes. */
export class Reachable {
  /** Its whole address: `http://10.0.0.1:3000`, with a path `http://10.0.0.1:3000/base`, a Unix socket `unix:/run/a.sock`. */
  readonly url: string
  /** What it is called in requests: `http://10.0.0.1:3000`; of a Unix socket, `http://localhost`. */
  readonly origin: string
  /** The path of its Unix socket; undefined if it has host and port. */
  readonly socketPath: string | undefined
  /** What the paths of all requests to it begin with, without a slash at its end; empty for most. */
  readonly base: string
  /** The host alone, without brackets of IPv6; of a Unix socket, `localhost`. */
  readonly hostname: string
  /** Its host name with its addresses; undefined if the URL has no name to look up, or the user passed a `lookup`. */
  readonly host: HostName | undefined
  /** Name look-up for connections without traffic, e.g. probes: same addresses as for traffic. */
  readonly lookup: LookupFunction | undefined
  /** The version of the PROXY protocol in which each connection to it says who its client is. */
  readonly proxyProtocol: ProxyVersion | undefined
  /** What a connection to it begins with that carries no client's requests, e.g. a probe's. */
  readonly localHeader: Buffer | undefined

  constructor(url: string, { host, lookup }: Whereabouts = {}, proxyProtocol?: ProxyVersion) {
    const { origin, socketPath, base } = addressIn(url)
    this.url = url
    this.origin = origin
    this.socketPath = socketPath
    this.base = base
    this.hostname = new URL(origin).hostname.replace(/^\[|\]$/g, '')
    this.host = host
    this.lookup = lookup
    this.proxyProtocol = proxyProtocol
    this.localHeader = proxyProtocol && localHeader(proxyProtocol)
  }
}
