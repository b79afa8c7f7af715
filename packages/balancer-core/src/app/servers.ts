import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'

/** Node tells it before a server begins to listen. */
const listening = 'tracing:net.server.listen:asyncStart'

/** A server that hands some of its connections to others. */
interface OuterServer extends Server {
  readonly innerServers?: readonly Server[]
}

/**
 * Calls `prepare` for each server of an app before it takes a connection: for `localhost`, Fastify listens with a
 * server for each address of that name, and `app.server` is only the first of them. A server may have `innerServers`,
 * which get some of its connections. Returns the servers so far.
 */
export function eachServer(app: FastifyInstance, prepare: (server: Server) => void): ReadonlySet<Server> {
  const servers = new Set<Server>()
  function add(server: OuterServer): void {
    if (servers.has(server)) return
    servers.add(server)
    // Fastify handles client errors for the first server only; Node alone would not close all of these connections.
    if (server !== app.server && server.listenerCount('clientError') === 0)
      server.on('clientError', (error, socket) => app.server.emit('clientError', error, socket))
    prepare(server)
    for (const inner of server.innerServers ?? []) add(inner)
  }
  add(app.server)
  // The channel is shared by the whole process. Servers of this app are recognised by their common request listener.
  function onListening(message: unknown): void {
    const { server } = message as { readonly server: Server }
    // oxlint-disable-next-line typescript/unbound-method -- it is not called
    if (server.listeners('request').includes(app.routing)) add(server)
  }
  app.addHook('onReady', async () => subscribe(listening, onListening))
  app.addHook('onListen', async () => void unsubscribe(listening, onListening))
  app.addHook('onClose', async () => void unsubscribe(listening, onListening))
  return servers
}
