import type { FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { TrailerSource } from '../connections/trailer-section.ts'
import { nominated } from '../headers/hop-by-hop.ts'
import { isTrailer } from '../headers/trailer-fields.ts'
import { isTrusted, isWithheld } from './forwarded.ts'
import type { ForwardedOptions } from './forwarded-options.ts'

/**
 * Can trailers follow the body? Over HTTP/1.1 only a chunked one. Over HTTP/2 one of known length, too, but few clients do
 * that: only if they are announced, since the length is not passed on then.
 */
export function canTrail({ headers, httpVersionMajor }: IncomingMessage): boolean {
  return headers['content-length'] === undefined || (httpVersionMajor === 2 && headers.trailer !== undefined)
}

/** The names that an announcement may contain, or undefined for none. */
export function announced(trailer: string): string | undefined {
  const names = trailer.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '' && isTrailer(name)).join(', ') || undefined
}

/**
 * The trailers of a client on their way to a backend, without those that must not be trailers (RFC 9110 §6.5.1), that the
 * client's `Connection` nominated, or that tell about clients: no trailer is needed for those.
 */
export class RequestTrailers implements TrailerSource {
  readonly #request: FastifyRequest
  readonly #forwarded: ForwardedOptions
  #pairs: readonly string[] | undefined

  constructor(request: FastifyRequest, forwarded: ForwardedOptions) {
    this.#request = request
    this.#forwarded = forwarded
  }

  get pairs(): readonly string[] {
    const { rawTrailers } = this.#request.raw
    return rawTrailers.length === 0 ? [] : (this.#pairs ??= this.#sent(rawTrailers))
  }

  #sent(rawTrailers: readonly string[]): readonly string[] {
    const nominees = nominated(this.#request.raw.headers.connection)
    const trusted = isTrusted(this.#request)
    const pairs: string[] = []
    for (let index = 0; index < rawTrailers.length; index += 2) {
      const name = rawTrailers[index]!
      if (!isTrailer(name) || nominees?.has(name.toLowerCase()) === true) continue
      if (!isWithheld(name, this.#forwarded, trusted)) pairs.push(name, rawTrailers[index + 1]!)
    }
    return pairs
  }
}
