import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyRequest } from 'fastify'
import { CrossSiteError } from '../errors.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Refuses changes that a page of another site makes with the browser, and so with the credentials, of somebody who may.
 * What is no browser sends neither `Origin` nor `Sec-Fetch-Site`, and is let through. That the name asked for is the server's
 * own is checked before, where nobody signs in: see `KnownHosts`.
 */
export class SameOrigin {
  readonly #origins: ReadonlySet<string>

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins)
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
    if (own === null || own.origin !== origin) throw new CrossSiteError(withoutSecrets(origin.slice(0, 200)))
  }
}
