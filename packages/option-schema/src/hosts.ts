import { Type } from '@sinclair/typebox'
import { isIP } from 'node:net'
import { quoted } from './quoted.ts'

/** A host with an optional port. No user names, paths or spaces (RFC 9110 §7.2). */
const authority = /^(?<name>\[[\da-f:.]+\]|[^\s:@/?#\\[\]%*]+)(?::(?<port>\d{0,5}))?$/i

/** A request, as far as its host is concerned. */
interface Asking {
  /** As Fastify sees it, including what a trusted proxy sent. */
  readonly host: string
  readonly headers: { readonly host?: string | undefined; readonly [':authority']?: unknown }
}

/** Names of this server, as an option. */
export const hosts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))

/** Host and port, normalised; undefined if it is invalid. */
function parts(text: string): { readonly name: string; readonly port: string } | undefined {
  const { name = '', port = '' } = authority.exec(text)?.groups ?? {}
  const hostname = URL.parse(`http://${name}`)?.hostname.replace(/\.$/, '')
  return hostname === undefined || hostname === '' ? undefined : { name: hostname, port }
}

/** Faults of such an option. */
export function hostFaults(place: string, given: readonly string[] = []): string[] {
  return given.flatMap((text, index) =>
    parts(text) === undefined ? [`${place}.${index}: ${quoted(text)} is not a host such as ops.example`] : [],
  )
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/**
 * The host names that a server without authentication accepts, as protection against DNS rebinding: a page whose own
 * name was made to point to this server is same-origin for a browser, but it sends that name as Host. `localhost` and
 * IP addresses are safe; all other names must be listed.
 */
export class KnownHosts {
  readonly #listed: ReadonlySet<string>

  constructor(listed: readonly string[] = []) {
    const known = listed.flatMap((text) => parts(text) ?? [])
    this.#listed = new Set(known.map(({ name, port }) => (port === '' ? name : `${name}:${port}`)))
  }

  /** The host name of a request if it is not accepted; undefined if it is. `''` for a request without a host. */
  unknownIn({ host, headers }: Asking): string | undefined {
    const named = [headers.host, headers[':authority'], host].filter((one) => typeof one === 'string' && one !== '')
    return named.length === 0 ? '' : (named as string[]).find((one) => !this.#knows(one))
  }

  #knows(host: string): boolean {
    const { name, port } = parts(host) ?? {}
    if (name === undefined) return false
    return name === 'localhost' || isAddress(name) || this.#listed.has(name) || this.#listed.has(`${name}:${port}`)
  }
}
