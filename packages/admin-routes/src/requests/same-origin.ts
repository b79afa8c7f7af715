import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyRequest } from 'fastify'
import { CrossSiteError } from '../errors.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Refuses changes that another site's page makes through an operator's browser, with the operator's credentials (CSRF).
 * Clients other than browsers send neither `Origin` nor `Sec-Fetch-Site` and pass. `Host` is checked elsewhere: see
 * `KnownHosts`.
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
