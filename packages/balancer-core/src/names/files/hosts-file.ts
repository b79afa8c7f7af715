import { join } from 'node:path'
import { addressOf, type Address } from '../addresses/address.ts'

/** Where hosts(5) lies; on Windows, among its own files. */
export const hostsPath =
  process.platform === 'win32'
    ? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts')
    : '/etc/hosts'

/**
 * The addresses of every name of a hosts file, in the order of its lines: an address, its name and its aliases; `#` begins
 * a comment. A name on several lines has all their addresses, as `getaddrinfo` says.
 */
export function parseHosts(text: string): ReadonlyMap<string, readonly Address[]> {
  const byName = new Map<string, Address[]>()
  for (const line of text.split('\n')) {
    const [first = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const address = addressOf(first)
    if (address === undefined) continue
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '')
      const known = byName.get(key) ?? []
      if (!known.some((one) => one.address === address.address)) known.push(address)
      byName.set(key, known)
    }
  }
  return byName
}
