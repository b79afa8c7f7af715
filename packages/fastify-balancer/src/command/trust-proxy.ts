import { quoted } from '@fastify-balancer/option-schema'
import type { Listener } from '../configuration/configuration.ts'
import { isProxy, proxiesIn, trustedProxies } from '../configuration/trusted-proxies.ts'
import { wrong } from '../values/wrong-arguments.ts'

const option = '--trust-proxy'

/** Could this be a list of proxies? No address of a backend looks like one. */
function isList(text: string): boolean {
  return proxiesIn(text).every(isProxy)
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
  const parts = proxiesIn(text)
  const bad = parts.find((part) => !isProxy(part))
  if (bad !== undefined)
    throw wrong(`${option}: ${quoted(bad)} is not an address, a network such as 10.0.0.0/8, private or all`)
  return trustedProxies(parts)
}
