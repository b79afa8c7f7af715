import type { FastifyRequest } from 'fastify'
import { isIP } from 'node:net'
import { CrossSiteError } from '../errors.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Nobody else can make these names mean this machine. */
function isOwnName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
}

/**
 * Refuses changes that a page of another site makes with the browser, and so with the credentials, of somebody who may.
 * What is no browser sends neither `Origin` nor `Sec-Fetch-Site`, and is let through.
 */
export class SameOrigin {
  readonly #origins: ReadonlySet<string>
  readonly #namesMayLie: boolean

  /** With `insecure`, nobody signs in, so that a page whose own name was made to mean this machine could do anything. */
  constructor(origins: readonly string[], insecure: boolean) {
    this.#origins = new Set(origins)
    this.#namesMayLie = insecure
  }

  /** @throws CrossSiteError */
  check({ method, headers, protocol, host }: FastifyRequest): void {
    if (safe.has(method)) return
    const { origin, 'sec-fetch-site': site } = headers
    if (origin === undefined) {
      if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new CrossSiteError(site)
      return
    }
    if (this.#origins.has(origin)) return
    const own = URL.parse(`${protocol}://${host}`)
    if (own === null || own.origin !== origin || (this.#namesMayLie && !isOwnName(own.hostname)))
      throw new CrossSiteError(origin.slice(0, 200))
  }
}
