import { BlockList, isIP } from 'node:net'
import type { Listener } from './configuration.ts'

/** Where proxies stand that are one's own: this machine, and networks that are not routed on the internet. */
const privateNetworks = ['loopback', 'linklocal', 'uniquelocal']

const words = new Set(['all', 'true', 'private', ...privateNetworks])

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/')
  const family = isIP(address)
  if (family === 0) return false
  if (prefix === undefined) return true
  // All addresses are `all`; Fastify refuses a network of length 0.
  if (!/^[1-9]\d{0,2}$/.test(prefix)) return false
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
    return true
  } catch {
    return false
  }
}

/** The parts of a list of proxies. */
export function proxiesIn(given: string | readonly string[]): readonly string[] {
  return [given].flat().flatMap((text) => text.split(',').map((part) => part.trim()))
}

/** Does a part of such a list say which proxies are meant? */
export function isProxy(text: string): boolean {
  return words.has(text) || isNetwork(text)
}

/** Proxies as Fastify's `trustProxy` has them. */
export function trustedProxies(parts: readonly string[]): NonNullable<Listener['trustProxy']> {
  if (parts.includes('all') || parts.includes('true')) return true
  return parts.flatMap((part) => (part === 'private' ? privateNetworks : part))
}
