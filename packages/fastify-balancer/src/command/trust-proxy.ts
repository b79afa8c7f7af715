import { quoted } from '@fastify-balancer/option-schema'
import { BlockList, isIP } from 'node:net'
import type { Listener } from '../configuration/configuration.ts'
import { wrong } from './wrong-arguments.ts'

const option = '--trust-proxy'

/** Where proxies stand that are one's own: this machine, and networks that are not routed on the internet. */
const privateNetworks = ['loopback', 'linklocal', 'uniquelocal']

const words = new Set(['all', 'true', 'private', ...privateNetworks])

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/')
  const family = isIP(address)
  if (family === 0) return false
  if (prefix === undefined) return true
  if (!/^\d{1,3}$/.test(prefix)) return false
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
    return true
  } catch {
    return false
  }
}

/** Could this be a list of proxies? No address of a backend looks like one. */
function isList(text: string): boolean {
  return text.split(',').every((part) => words.has(part.trim()) || isNetwork(part.trim()))
}

/** Its value may be left out, which `parseArgs` does not know: then it is `private`. */
export function withTrustProxyValue(argv: readonly string[]): string[] {
  const given: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!
    const next = argv[index + 1]
    if (argument === '--') return [...given, ...argv.slice(index)]
    if (argument !== option) given.push(argument)
    else if (next !== undefined && isList(next)) given.push(`${option}=${argv[++index]}`)
    else given.push(`${option}=private`)
  }
  return given
}

/** Which proxies are trusted, as Fastify's `trustProxy` has it. @throws CommandError */
export function readTrustProxy(text: string): NonNullable<Listener['trustProxy']> {
  const parts = text.split(',').map((part) => part.trim())
  const bad = parts.find((part) => !words.has(part) && !isNetwork(part))
  if (bad !== undefined)
    throw wrong(`${option}: ${quoted(bad)} is not an address, a network such as 10.0.0.0/8, private or all`)
  if (parts.includes('all') || parts.includes('true')) return true
  return parts.flatMap((part) => (part === 'private' ? privateNetworks : part))
}
