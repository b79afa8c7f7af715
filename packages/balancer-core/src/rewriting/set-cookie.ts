import type { IncomingFields } from '../headers/fields.ts'
import { below } from './own-addresses.ts'

/** The value of a cookie's attribute that takes the place of this one; empty: the attribute is left out. */
export type AttributeRewrite = (value: string) => string

/** Attributes that change. */
export interface CookieRewrite {
  readonly path?: AttributeRewrite | undefined
  readonly domain?: AttributeRewrite | undefined
}

/** Browsers take a cookie with this prefix only with the path `/` and without a domain. */
const bound = /^\s*__host-/i

/** One attribute with its `;` before it, changed or as it is (RFC 6265 §5.2). */
function attributeFor(piece: string, { path, domain }: CookieRewrite): string {
  const equals = piece.indexOf('=')
  const name = piece.slice(0, Math.max(equals, 0)).trim().toLowerCase()
  const given = piece.slice(equals + 1)
  const value = given.trim()
  const rewrite = name === 'path' ? path : name === 'domain' ? domain : undefined
  // A path that does not begin with a slash means nothing (RFC 6265 §5.2.4), and neither does an empty domain.
  if (rewrite === undefined || value === '' || (name === 'path' && !value.startsWith('/'))) return `;${piece}`
  const made = rewrite(value)
  const at = equals + 1 + given.indexOf(value)
  return made === '' ? '' : `;${piece.slice(0, at)}${made}${piece.slice(at + value.length)}`
}

/** A `Set-Cookie` with other values of its attributes. Everything else stays byte for byte. */
export function cookieFor(cookie: string, rewrite: CookieRewrite): string {
  if (bound.test(cookie)) return cookie
  const [pair, ...attributes] = cookie.split(';')
  return pair + attributes.map((piece) => attributeFor(piece, rewrite)).join('')
}

/** The same of all cookies of a response. */
export function rewriteCookies(headers: IncomingFields, rewrite: CookieRewrite): void {
  const cookies = headers['set-cookie']
  if (cookies === undefined) return
  headers['set-cookie'] = [cookies].flat().map((cookie) => cookieFor(`${cookie}`, rewrite))
}

/** What a map says of all that it does not name. */
const others = '*'

/** Paths by the longest prefix that they are below; `*` is for any other path. */
export function pathsBy(map: Readonly<Record<string, string>>): AttributeRewrite {
  const rules = Object.entries(map)
    .map(([from, to]) => [from.replace(/\/+$/, ''), to] as const)
    .filter(([from]) => from !== others)
    .toSorted(([one], [other]) => other.length - one.length)
  const otherwise = Object.hasOwn(map, others) ? map[others] : undefined
  return (path) => {
    for (const [from, to] of rules) {
      const rest = below(path, from)
      if (rest === undefined) continue
      return to === '' || rest === '' ? to : to.replace(/\/+$/, '') + rest
    }
    return otherwise ?? path
  }
}

const normalDomain = (domain: string) => domain.toLowerCase().replace(/^\./, '')

/** Domains by their name; the dot before it, and case, do not matter (RFC 6265 §5.2.3). `*` is for any other domain. */
export function domainsBy(map: string | Readonly<Record<string, string>>): AttributeRewrite {
  if (typeof map === 'string') return () => map
  const rules = new Map(Object.entries(map).map(([from, to]) => [normalDomain(from), to]))
  return (domain) => rules.get(normalDomain(domain)) ?? rules.get(others) ?? domain
}
