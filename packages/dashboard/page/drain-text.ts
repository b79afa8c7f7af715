import { count } from './figures-text.ts'
import type { ServerView } from './views.ts'

/** How many requests a server has on their way through. */
export function inFlightText({ exchanges, idle }: ServerView): string {
  if (idle) return 'It is idle: no request is in flight.'
  return exchanges === 1 ? 'One request is still in flight.' : `${count(exchanges)} requests are still in flight.`
}

/** Whether clients are told to come back elsewhere. */
export function connectionsText({ closesConnections }: ServerView): string {
  return closesConnections
    ? 'Connections are closed with the next answer, so that clients connect anew, elsewhere.'
    : 'Connections are not closed yet: load balancers are given time to notice.'
}
