import type { Attempt, PickRequest } from '@fastify-balancer/balancer-core'
import { tokenLength } from './tokens.ts'

/** How tokens travel between us and clients. Backends do not see them. */
export interface Carrier {
  /** Those of a request that may be tokens by their length; the first counts most. */
  tokensIn(headers: PickRequest['headers']): readonly string[]
  /** Keeps it from the backend. Within `onAttemptStart`. */
  hide(attempt: Attempt): void
  /** Gives the client this one, unless it has it already. Within `onResponse`. */
  bind(attempt: Attempt, token: string): void
}

/** Of many values, which only an attacker sends, these are looked at. */
const most = 4

/** Those that may be tokens. */
export function candidates(values: readonly string[]): readonly string[] {
  return values.filter(({ length }) => length === tokenLength).slice(0, most)
}

/** A text of header fields; those of several are joined. */
export function textOf(field: string | string[] | undefined, separator: string): string {
  return Array.isArray(field) ? field.join(separator) : (field ?? '')
}

/** With `private="field"`, a cache may keep all but that field (RFC 9111 §5.2.2.7). */
const notShared = /(?:^|[\s,])(?:private|no-store)(?:$|[\s,])/i

/** A shared cache would give one client's token to all others: HAProxy's `nocache`. Browsers may keep the response. */
export function keepFromCaches({ headers }: Attempt): void {
  const own = [headers['cache-control'] ?? []].flat().join(', ')
  const directives = own.replaceAll(/"[^"]*"/g, '""')
  if (!notShared.test(directives)) headers['cache-control'] = own === '' ? 'private' : `${own}, private`
}
