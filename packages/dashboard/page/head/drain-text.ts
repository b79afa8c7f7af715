import { clockTime, count } from '../figures-text.ts'
import type { ServerView } from '../api/views.ts'

/** How many requests a server has in flight. */
export function inFlightText({ exchanges, idle }: ServerView): string {
  if (idle) return 'No requests are in flight.'
  return exchanges === 1 ? 'One request is still in flight.' : `${count(exchanges)} requests are still in flight.`
}

/** Whether connections are being closed, or when they will be, and whether the app closes then. */
export function connectionsText({ closesConnections, closesConnectionsAt, closesApp }: ServerView): string {
  if (closesConnections) return 'Connections are closed after their next response, so that clients reconnect elsewhere.'
  const until = closesConnectionsAt === undefined ? 'for now' : `until ${clockTime(closesConnectionsAt)}`
  const then = closesApp === true ? ' Then the app closes.' : ''
  return `Connections stay open ${until}, so that load balancers have time to notice.${then}`
}
