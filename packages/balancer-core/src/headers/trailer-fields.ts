import { isHopByHop } from './hop-by-hop.ts'

/**
 * Fields that must not be trailers: framing, routing, authentication, and what tells how to read the content or the
 * request (RFC 9110 §6.5.1). A recipient that merges trailers into headers would be misled by them. (The list of Go's
 * `httpguts.ValidTrailerHeader`, and cookies.)
 */
const forbidden = new Set(
  (
    'content-length host trailer content-encoding content-type content-range authorization www-authenticate ' +
    'cookie set-cookie cache-control expect max-forwards pragma range realm'
  ).split(' '),
)

/** May a field of this name be sent as a trailer? In any case. */
export function isTrailer(name: string): boolean {
  const lower = name.toLowerCase()
  return !isHopByHop(lower) && !forbidden.has(lower) && !lower.startsWith('if-') && !lower.startsWith(':')
}
