import type { IncomingFields } from './fields.ts'

/** Fields that a proxy never passes on, in either direction (RFC 9110 §7.6.1, and older ones). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** The lengths of those names: for most fields this rules them out without lowercasing. */
const lengths = new Set([...hopByHop].map((name) => name.length))
const possible = Array.from({ length: 32 }, (_, length) => lengths.has(length))

/** Is it hop-by-hop, in any case? */
export function isHopByHop(name: string): boolean {
  return possible[name.length] === true && hopByHop.has(name.toLowerCase())
}

/** The fields that a `Connection` field nominates as hop-by-hop; null when it nominates none. */
export function nominated(connection: string | string[] | undefined): Set<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null
  const names = new Set<string>()
  for (const part of String(connection).split(',')) {
    const name = part.trim().toLowerCase()
    if (name !== '' && name !== 'close' && name !== 'keep-alive') names.add(name)
  }
  return names.size === 0 ? null : names
}

/** Has a body a coding other than chunks? That would have to be undone here, for the next connection knows nothing of it. */
export function isEncoded({ 'transfer-encoding': coding }: IncomingFields): boolean {
  return coding !== undefined && String(coding).toLowerCase() !== 'chunked'
}
