import { hostname } from 'node:os'
import { isIP } from 'node:net'

/** The settings of resolv.conf(5) that decide how a name is looked up. */
export interface ResolvConf {
  /** In the order of the file; at most three, as in glibc. */
  readonly servers: readonly string[]
  /** Domains in which a name is looked for. glibc has set no limit to their number since 2.26. */
  readonly search: readonly string[]
  /** A name with at least this many dots is looked up as it is before `search` applies. */
  readonly ndots: number
  /** How long a name server has to answer at first (ms); undefined: c-ares decides. */
  readonly timeout: number | undefined
  /** How often all are asked; undefined: Node's default. */
  readonly attempts: number | undefined
  /** Begin with another name server each time. */
  readonly rotate: boolean
}

/** Environment variables of resolv.conf(5). */
export interface Surroundings {
  readonly hostname: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The limits of resolv.conf(5): higher values are capped. */
const most = { servers: 3, ndots: 15, timeout: 30, attempts: 5 }

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** The last of `options` of this name, up to its limit. */
function valueOf(options: readonly string[], name: 'ndots' | 'timeout' | 'attempts'): number | undefined {
  const value = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1)
  return value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), most[name]) : undefined
}

/** Reads a resolv.conf; the environment's `LOCALDOMAIN` and `RES_OPTIONS` go before it. Without `search`, the domain of this machine's own name is searched. */
export function parseResolvConf(
  text: string,
  { hostname: own, environment }: Surroundings = { hostname: hostname(), environment: process.env },
): ResolvConf {
  const servers: string[] = []
  const options: string[] = []
  const domain = own.indexOf('.')
  let search = domain === -1 ? [] : [own.slice(domain + 1)]
  for (const line of text.split('\n')) {
    // `#` and `;` begin a comment where they stand first.
    const [keyword, ...values] = words(line)
    if (keyword === 'nameserver' && isIP(values[0] ?? '') !== 0) servers.push(values[0]!)
    // If there are several `domain` or `search` lines, the last one counts.
    else if (keyword === 'domain') search = values.slice(0, 1)
    else if (keyword === 'search') search = values
    else if (keyword === 'options') options.push(...values)
  }
  if (environment['LOCALDOMAIN'] !== undefined) search = [...words(environment['LOCALDOMAIN'])]
  options.push(...words(environment['RES_OPTIONS'] ?? ''))
  const timeout = valueOf(options, 'timeout')
  return {
    servers: servers.slice(0, most.servers),
    search,
    ndots: valueOf(options, 'ndots') ?? 1,
    timeout: timeout === undefined || timeout === 0 ? undefined : timeout * 1000,
    attempts: valueOf(options, 'attempts') || undefined,
    rotate: options.includes('rotate'),
  }
}
