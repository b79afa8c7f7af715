import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import type { Balancer } from '../index.ts'
import { drainDeadlineOf } from './balancers-status.ts'

/** So long a client has for a request that it was sending on a connection when all of this began (ms), within the drain deadline. */
const longestLinger = 1000

/** Between two looks whether connections are left (ms). */
const between = 20

/** Kept connections end with their next response. HTTP/2 has no such field: its clients get GOAWAY when the app closes. */
function endAfterNext(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 1) response.shouldKeepAlive = false
}

/** A connection as Node's HTTP server has it, with the response that is under way. */
type AnsweringSocket = Socket & { readonly _httpMessage?: ServerResponse | null }

/** The same for requests that are at backends already. */
function endThoseInFlight(balancers: readonly Balancer[]): void {
  for (const balancer of balancers)
    balancer.addHook('onAttemptResponse', function leaving({ exchange: { request } }) {
      const response = (request.raw.socket as AnsweringSocket)._httpMessage
      if (response?.req === request.raw) endAfterNext(request.raw, response)
    })
}

async function hasConnections(servers: readonly Server[]): Promise<boolean> {
  const counts = servers.map(
    (server) => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count ?? 0))),
  )
  return (await Promise.all(counts)).some((count) => count > 0)
}

/**
 * Lets clients of these go without a reset, to other processes where there are any that listen at the same places: no connection is accepted any more, those that
 * are kept are closed with their next response, and a moment later those on which nobody asks. It ends before requests do;
 * their drain deadline counts from its begin.
 */
export async function leave(
  servers: readonly Server[],
  balancers: readonly Balancer[],
  othersStop?: () => Promise<unknown>,
): Promise<void> {
  const since = performance.now()
  const lingering = Math.min(drainDeadlineOf(balancers) || longestLinger, longestLinger)
  // Node's HTTP servers would close their idle connections at once, and with them requests that are on their way.
  for (const server of servers) if (server.listening) NetServer.prototype.close.call(server)
  // Clients connect again at once: if others still listened, they would be reset when these stop.
  await othersStop?.()
  for (const server of servers) {
    server.prependListener('request', endAfterNext)
    // Of connections that become idle from now on.
    server.keepAliveTimeout = lingering
  }
  endThoseInFlight(balancers)
  for (let left = lingering; left > 0; left -= between) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    if (!(await hasConnections(servers))) break
    // oxlint-disable-next-line no-await-in-loop -- the same
    await after(between)
  }
  const lingered = performance.now() - since
  for (const balancer of balancers) {
    const { drainDeadline } = balancer.options
    if (drainDeadline > 0) void balancer.close(Math.max(1, drainDeadline - lingered))
  }
  for (const server of servers) if ('closeIdleConnections' in server) server.closeIdleConnections()
}
