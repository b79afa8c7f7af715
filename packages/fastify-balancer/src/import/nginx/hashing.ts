import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'

/** What differs in every policy by a hash but `hash … consistent`. */
const otherServers = 'a client stays at one backend, but not at the one that nginx has for it'

/** Variables whose text is that of our key, so that `ring` has the same servers for it; `$uri` is decoded, our path is not. */
const sameText = /^\$(?:remote_addr|request_uri|(?:http|cookie|arg)_\w+)$/

/** The setting `key` that a variable of nginx stands for; undefined if there is none. */
function keyOf(variable: string): Tree | undefined {
  const [, kind, name = ''] = /^\$(http|cookie|arg)_(\w+)$/.exec(variable) ?? []
  if (kind === 'http') return { header: name.replaceAll('_', '-').toLowerCase() }
  if (kind === 'cookie') return { cookie: name }
  if (kind === 'arg') return { query: name }
  if (variable === '$remote_addr' || variable === '$binary_remote_addr') return { address: true }
  if (variable === '$host') return { header: 'host' }
  return ['$request_uri', '$uri', '$document_uri'].includes(variable) ? { path: true } : undefined
}

/** `hash`: the policy, or undefined and a line in the report. */
function hashOf(directive: Directive, report: Report): Tree | undefined {
  const { args, place } = directive
  const [given = '', method] = args
  // The same for all requests of a balancer, or nearly.
  const variable = given.replace(/^(?:\$scheme|\$proxy_host|:\/\/)+/, '').replaceAll(/[{}]/g, '')
  const key = keyOf(variable)
  const text = textOf(directive)
  if (key === undefined) {
    const why = 'such a key takes code: `key: { module, export }` of the policy `ring`; round robin is used instead'
    report.leaveOut(place, text, why)
    return undefined
  }
  if (variable.includes('request_uri')) report.differs(place, text, 'the query is not a part of the key')
  const isSame = method === 'consistent' && given.replaceAll(/[{}]/g, '') === variable && sameText.test(variable)
  if (!isSame) report.differs(place, text, otherServers)
  // nginx takes turns among all for requests without a key, and bounds no load.
  const name = method === 'consistent' ? 'ring' : 'maglev'
  return fromLine(place, { name, key, balance: false, policy: 'round-robin' }, text)
}

/** The policy of `hash` or `ip_hash`; undefined if the upstream has neither, or one that cannot be carried over. */
export function hashPolicyOf(
  { hash, ipHash }: { readonly hash: Directive | undefined; readonly ipHash: Directive | undefined },
  report: Report,
): Tree | undefined {
  if (hash !== undefined) return hashOf(hash, report)
  if (ipHash === undefined) return undefined
  report.differs(ipHash.place, 'ip_hash', otherServers)
  // The first three bytes of IPv4, and all of IPv6, as in nginx.
  return fromLine(ipHash.place, { name: 'maglev', key: { address: { v4: 24 } }, balance: false }, 'ip_hash')
}
