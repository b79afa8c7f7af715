import type { ResolvConf } from './files/resolv-conf.ts'

/** Longest name in a DNS question (RFC 1035 §2.3.4). */
function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label !== '' && label.length <= 63)
}

/**
 * The full names that a name may stand for, in the order in which glibc asks for them: a dot at the end makes it full;
 * one with `ndots` dots is asked for as it is first, any other in each domain of `search` first.
 */
export function fullNames(name: string, { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)].filter(isName)
  const dots = name.split('.').length - 1
  // The root may be a search domain too.
  const searched = search.map((domain) => `${name}.${domain}`.replace(/\.+$/, ''))
  const names = dots >= ndots ? [name, ...searched] : [...searched, name]
  return [...new Set(names)].filter(isName)
}
