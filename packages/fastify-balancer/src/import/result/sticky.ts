import { Variable, type Tree, type TreeObject } from './draft.ts'
import type { Place, Report } from './report.ts'

/** The operator sets the secret: it should not stand in the file, and nginx and HAProxy have none to take over. */
const secret: Tree = [new Variable('STICKY_SECRET')]

/** The longest age that browsers accept (RFC 6265bis §5.5), in ms: 400 days. */
export const longestAge = 400 * 86_400_000

const sameSites = new Set(['lax', 'strict', 'none'])

/** What a cookie of another program is here. `attributes` are by their names in lower case. */
export function stickyOf(cookie: string, attributes: ReadonlyMap<string, string>, maxAge?: number): TreeObject {
  const sameSite = attributes.get('samesite')?.toLowerCase() ?? ''
  return {
    cookie,
    secret,
    secure: attributes.has('secure') ? true : undefined,
    sameSite: sameSites.has(sameSite) ? sameSite : undefined,
    path: attributes.get('path'),
    domain: attributes.get('domain')?.replace(/^\./, ''),
    maxAge: maxAge === undefined ? undefined : Math.min(maxAge, longestAge),
  }
}

/** Says what is to be done, and what becomes of clients. */
export function tellOfSecret(report: Report, place: Place, what: string, further = ''): void {
  report.differs(
    place,
    what,
    `set the environment variable STICKY_SECRET to a text of 16 random characters or more; clients are bound anew${further}`,
  )
}
