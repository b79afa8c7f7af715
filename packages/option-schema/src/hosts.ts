import { Type } from '@sinclair/typebox'
import { isIP } from 'node:net'
import { quoted } from './quoted.ts'

/** A host, and a port where there is one. User names, paths and spaces make it something else (RFC 9110 §7.2). */
const authority = /^(?<name>\[[\da-f:.]+\]|[^\s:@/?#\\[\]%*]+)(?::(?<port>\d{0,5}))?$/i

/** A request, as far as it says whom it asks. */
interface Asking {
  /** As Fastify sees it, which is what a trusted proxy says. */
  readonly host: string
  readonly headers: { readonly host?: string | undefined; readonly [':authority']?: unknown }
}

/** Names of this server, as an option. */
export const hosts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))

/** Host and port, alike for all spellings of the same; undefined where it is none. */
function parts(text: string): { readonly name: string; readonly port: string } | undefined {
  const { name = '', port = '' } = authority.exec(text)?.groups ?? {}
  const hostname = URL.parse(`http://${name}`)?.hostname.replace(/\.$/, '')
  return hostname === undefined || hostname === '' ? undefined : { name: hostname, port }
}

/** What is wrong with such an option. */
export function hostFaults(place: string, given: readonly string[] = []): string[] {
  return given.flatMap((text, index) =>
    parts(text) === undefined ? [`${place}.${index}: ${quoted(text)} is not a host such as ops.example`] : [],
  )
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/**
 * The names by which a server may be asked where nothing else tells a stranger from its operator. A page whose own name was
 * made to mean this server (DNS rebinding) is of the same origin to a browser, but it asks for that name: `localhost` and
 * addresses are nobody's to give, all others have to be listed.
 */
export class KnownHosts {
  readonly #listed: ReadonlySet<string>

  constructor(listed: readonly string[] = []) {
    const known = listed.flatMap((text) => parts(text) ?? [])
    this.#listed = new Set(known.map(({ name, port }) => (port === '' ? name : `${name}:${port}`)))
  }

  /** By which other name a request asks; undefined if it may. One that names nobody asks for `''`. */
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
