import { quoted } from '@fastify-balancer/option-schema'
import { faultsOfOptions, type ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { isIP } from 'node:net'
import { within, type PlacedFault } from './document/fault.ts'
import { isProxy, proxiesIn } from './trusted-proxies.ts'

type Part = Readonly<Record<string, unknown>>

/** The system takes no longer name of a Unix socket (bytes). */
const longestPath = process.platform === 'linux' ? 107 : 103

function* proxyFaults(given: unknown, pointer: string): Generator<PlacedFault> {
  const items = (Array.isArray(given) ? given : [given]) as readonly unknown[]
  for (const [index, item] of items.entries()) {
    const bad = typeof item === 'string' ? proxiesIn(item).find((part) => !isProxy(part)) : undefined
    const place = Array.isArray(given) ? within(pointer, index) : pointer
    const message = `${quoted(bad ?? '')} is not an address, a network such as 10.0.0.0/8, private or all`
    if (bad !== undefined) yield { pointer: place, message }
  }
}

/** `proxyProtocol`, whose own faults begin with their place: `from.0: …`. */
function* protocolFaults({ proxyProtocol, path }: Part, pointer: string): Generator<PlacedFault> {
  if (proxyProtocol === undefined) return
  const place = within(pointer, 'proxyProtocol')
  const given = proxyProtocol as ProxyProtocolOptions
  const faults = faultsOfOptions(given)
  for (const fault of faults) {
    const [, at = '', message = fault] = /^([\w.]+): (.*)$/s.exec(fault) ?? []
    yield { pointer: at === '' ? place : at.split('.').reduce(within, place), message }
  }
  if (faults.length > 0) return
  if (path === undefined ? given.from.every((one) => one === 'unix') : !given.from.includes('unix'))
    yield {
      pointer: within(place, 'from'),
      message: `lists nobody who can connect here: ${path === undefined ? 'expected an address or a network' : 'expected unix'}`,
    }
}

function* placeFaults({ port, host, path }: Part, pointer: string): Generator<PlacedFault> {
  if (port === undefined && path === undefined) yield { pointer, message: 'needs `port`, or `path` for a Unix socket' }
  if (path !== undefined && (port !== undefined || host !== undefined))
    yield {
      pointer: within(pointer, 'path'),
      message: 'a Unix socket has no `port` and no `host`: remove them, or `path`',
    }
  if (typeof path === 'string' && Buffer.byteLength(path) > longestPath)
    yield { pointer: within(pointer, 'path'), message: `is longer than ${longestPath} bytes, with its folder: ${path}` }
  const isHost = typeof host !== 'string' || isIP(host) !== 0 || /^[a-z\d_]([\w.-]*\w)?\.?$/i.test(host)
  // An empty one has a fault already.
  if (!isHost && host !== '')
    yield {
      pointer: within(pointer, 'host'),
      message: `expected an address or a name, such as 127.0.0.1, :: or localhost, got ${quoted(host)}`,
    }
}

/** Where a listener listens, as far as that must be its own; undefined where any free port will do. */
function addressOf({ port, host = '127.0.0.1', path }: Part): string | undefined {
  if (path !== undefined) return `path ${path as string}`
  return port === undefined || port === 0 ? undefined : `port ${port as number} of ${host as string}`
}

const covers = (all: string, one: string) => (all === '::' ? isIP(one) !== 0 : all === '0.0.0.0' && isIP(one) === 4)

/** Can only one of two listeners begin? */
function collide(one: Part, other: Part): boolean {
  if (addressOf(one) === addressOf(other)) return true
  if (one['path'] !== undefined || one['port'] !== other['port']) return false
  const addresses = ({ host = '127.0.0.1' }: Part) => (host === 'localhost' ? ['127.0.0.1', '::1'] : [String(host)])
  return addresses(one).some((a) => addresses(other).some((b) => a === b || covers(a, b) || covers(b, a)))
}

/** What is wrong with listeners, which are given by their pointers, and with what they are to each other. */
export function* listenerFaults(listeners: ReadonlyMap<string, Part>): Generator<PlacedFault> {
  const seen = new Map<string, Part>()
  for (const [pointer, listener] of listeners) {
    yield* placeFaults(listener, pointer)
    if (listener['http2'] === true && listener['tls'] === undefined && listener['proxyProtocol'] === undefined)
      yield { pointer: within(pointer, 'http2'), message: 'needs `tls`: clients use HTTP/2 over TLS' }
    yield* proxyFaults(listener['trustProxy'], within(pointer, 'trustProxy'))
    yield* protocolFaults(listener, pointer)
    const address = addressOf(listener)
    if (address === undefined) continue
    const [taker] = [...seen].find(([, other]) => collide(listener, other)) ?? []
    if (taker === undefined) seen.set(pointer, listener)
    else yield { pointer, message: `${address} is taken already, by ${taker.slice(1).replaceAll('/', '.')}` }
  }
}
