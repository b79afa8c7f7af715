import { clockTime, count } from '../figures-text.ts'
import type { ServerView } from '../api/views.ts'

/** How many requests a server has in flight. */
export function inFlightText({ exchanges, tunnels, idle }: ServerView): string {
  if (idle) return 'No requests are in flight.'
  if (tunnels === exchanges) return `${capitalized(openText(tunnels))}.`
  const requests = exchanges - tunnels
  const text = requests === 1 ? 'One request is still in flight' : `${count(requests)} requests are still in flight`
  return tunnels === 0 ? `${text}.` : `${text}, and ${openText(tunnels)}.`
}

function openText(tunnels: number): string {
  return tunnels === 1 ? 'one tunnel is open' : `${count(tunnels)} tunnels are open`
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Whether connections are being closed, or when they will be, and whether the app closes then. */
export function connectionsText({ closesConnections, closesConnectionsAt, closesApp }: ServerView): string {
  if (closesConnections) return 'Connections are closed after their next response, so that clients reconnect elsewhere.'
  const until = closesConnectionsAt === undefined ? 'for now' : `until ${clockTime(closesConnectionsAt)}`
  const then = closesApp === true ? ' Then the app closes.' : ''
  return `Connections stay open ${until}, so that load balancers have time to notice.${then}`
}
