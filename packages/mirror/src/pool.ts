import { isIP, type Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { lookupOf } from './name-lookup.ts'

/** undici's connector returns its socket, which its types do not say. */
type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

/** The time limit for connecting, read whenever a connection is opened, and a clock; in ms. */
interface ConnectLimit {
  readonly connectTimeout: number
  readonly now: () => number
}

/**
 * The connections to one server, over HTTP/1.1. The TLS server name is the server's, whatever the request's Host says.
 * They do not keep the process alive. Who uses the pool limits how many requests it gets, as undici would queue any number.
 */
export function openPool(url: string, limit: ConnectLimit): Pool {
  const { hostname: bracketed } = new URL(url)
  const hostname = bracketed.replace(/^\[|\]$/g, '')
  const named = isIP(hostname) === 0 ? { servername: hostname } : {}
  const lookup = lookupOf(hostname, limit.now)
  const build = (timeout: number) => buildConnector({ lookup, timeout, allowH2: false }) as Connect
  let timeout = limit.connectTimeout
  let connect = build(timeout)
  return new Pool(url, {
    connect: (options, callback) => {
      if (timeout !== limit.connectTimeout) connect = build((timeout = limit.connectTimeout))
      const { servername: _, ...place } = options
      connect({ ...place, ...named }, callback).unref()
    },
    // A copy has one time limit for all of it.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
  })
}
