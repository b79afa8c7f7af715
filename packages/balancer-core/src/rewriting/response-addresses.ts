import type { FastifyRequest } from 'fastify'
import type { Backend } from '../backends/backend.ts'
import { fieldOf, type IncomingFields } from '../headers/fields.ts'
import { followLocations, namesAddress } from './location-fields.ts'
import { cookiePathFor, type TwoViews } from './own-addresses.ts'
import type { PrefixChange } from './prefix-change.ts'
import type { RewriteOptions } from './rewrite-options.ts'
import { domainsBy, pathsBy, rewriteCookies, type AttributeRewrite } from './set-cookie.ts'

/** How one route changes the addresses that responses name. */
export interface AddressRules {
  /** Does anything change, whatever the backend is? */
  readonly some: boolean
  /** `Location`, `Content-Location` and `Refresh` lead to us; undefined: if the backend has a path of its own. */
  readonly location: boolean | undefined
  /** Of cookies; `true`: as in `Location`. */
  readonly path: AttributeRewrite | true | undefined
  readonly domain: AttributeRewrite | undefined
  /** What changes in paths on their way to a backend. */
  readonly prefix: PrefixChange | undefined
}

/** What changes by these options. */
export function addressRules(
  { location, cookies }: Pick<RewriteOptions, 'location' | 'cookies'>,
  prefix: PrefixChange | undefined,
): AddressRules {
  const rules = {
    location: location ?? (prefix === undefined ? undefined : true),
    path: typeof cookies.path === 'object' ? pathsBy(cookies.path) : cookies.path,
    domain: cookies.domain === undefined ? undefined : domainsBy(cookies.domain),
    prefix,
  }
  return { ...rules, some: rules.location === true || rules.path !== undefined || rules.domain !== undefined }
}

const unchanged = { outer: '', inner: '' }

function pathOf({ raw }: FastifyRequest): string {
  return (raw.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
}

/** What the client and the backend know each other's paths and addresses by. `sent` are the fields of the request to it. */
function viewsOf(
  request: FastifyRequest,
  { origin, base }: Backend,
  sent: readonly string[],
  prefix: PrefixChange | undefined,
): TwoViews {
  const { protocol, host } = new URL(origin)
  const { outer, inner } = prefix?.prefixesOf(pathOf(request)) ?? unchanged
  const asked = fieldOf(sent, 'host')
  return {
    outer,
    inner: base + inner,
    clientScheme: request.protocol,
    backendScheme: protocol.slice(0, -1),
    // The second is what a proxy in front of us was asked for, if it is trusted.
    clientAuthorities: [request.host, request.raw.headers.host ?? request.host],
    backendAuthorities: asked === undefined ? [host] : [host, asked],
  }
}

/** Changes the addresses that the headers of a response name, from those of the backend to those of the client. */
export function changeAddresses(
  headers: IncomingFields,
  { location, path, domain, prefix }: AddressRules,
  ...[request, backend, sent]: readonly [request: FastifyRequest, backend: Backend, sent: readonly string[]]
): void {
  const hasLocation = (location ?? backend.base !== '') && namesAddress(headers)
  const hasCookies = headers['set-cookie'] !== undefined && (path !== undefined || domain !== undefined)
  if (!hasLocation && !hasCookies) return
  const views = viewsOf(request, backend, sent, prefix)
  if (hasLocation) followLocations(headers, views)
  if (hasCookies)
    rewriteCookies(headers, { domain, path: path === true ? (value) => cookiePathFor(value, views) : path })
}
