import { clockTime, count } from '../figures-text.ts'
import type { ServerView } from '../api/views.ts'

/** How many requests a server has on their way through. */
export function inFlightText({ exchanges, idle }: ServerView): string {
  if (idle) return 'It is idle: no request is in flight.'
  return exchanges === 1 ? 'One request is still in flight.' : `${count(exchanges)} requests are still in flight.`
}

/** Whether clients are told to come back elsewhere, or when, and what comes then. */
export function connectionsText({ closesConnections, closesConnectionsAt, closesApp }: ServerView): string {
  if (closesConnections) return 'Connections are closed with the next answer, so that clients connect anew, elsewhere.'
  const until = closesConnectionsAt === undefined ? 'yet' : `before ${clockTime(closesConnectionsAt)}`
  const then = closesApp === true ? ' Then the app closes.' : ''
  return `Connections are not closed ${until}: load balancers are given time to notice.${then}`
}
