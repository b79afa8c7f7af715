import type { IncomingMessage } from 'node:http'
import { BadOptionsError } from '../index.ts'

/** What a `host` in `constraints` may be: a name, a name with a port, `*.` before a name, or a pattern. */
type Host = string | RegExp

const port = /:\d+$/

/** A name as it is compared: case and a dot at its end mean nothing (RFC 4343). */
function nameOf(host: string): string {
  return host.toLowerCase().replace(port, '').replace(/\.$/, '')
}

/** The stores of the routes, found by host: the exact host with its port first, then its name, then the longest `*.` that fits. */
class HostStorage<Store> {
  readonly #names = new Map<string, Store>()
  readonly #wildcards: { readonly suffix: string; readonly store: Store }[] = []
  readonly #patterns: { readonly pattern: RegExp; readonly store: Store }[] = []

  get(host: string): Store | null {
    const name = nameOf(host)
    return (
      this.#names.get(host.toLowerCase()) ??
      this.#names.get(name) ??
      this.#wildcards.find(({ suffix }) => name.length > suffix.length && name.endsWith(suffix))?.store ??
      this.#patterns.find(({ pattern }) => pattern.test(host))?.store ??
      null
    )
  }

  set(host: Host, store: Store): void {
    if (host instanceof RegExp) this.#patterns.push({ pattern: host, store })
    else if (host.startsWith('*.')) {
      this.#wildcards.push({ suffix: nameOf(host.slice(1)), store })
      this.#wildcards.sort((one, other) => other.suffix.length - one.suffix.length)
    } else this.#names.set(port.test(host) ? host.toLowerCase() : nameOf(host), store)
  }
}

/**
 * In place of Fastify's own `host` constraint, which compares the whole field: as in nginx's `server_name`, letter case and
 * the port of the request do not matter, unless the constraint names a port; `*.example.com` is every name below it.
 */
export const hostConstraint = {
  name: 'host',
  storage: <Store>() => new HostStorage<Store>(),
  mustMatchWhenDerived: false,
  validate(value: unknown): void {
    if (typeof value !== 'string' && !(value instanceof RegExp))
      throw new BadOptionsError(
        `constraints.host: expected a name such as a.example, or *.example, got ${typeof value}`,
      )
  },
  deriveConstraint: ({ headers }: IncomingMessage) =>
    headers.host ?? (headers[':authority'] as string | undefined) ?? '',
}
