import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'

/** Does something with each listener of an app, once: for `localhost`, Fastify makes one for each of its addresses. */
export function withEachListener(app: FastifyInstance, each: (server: Server) => void): void {
  each(app.server)
  app.addHook('onListen', (done) => {
    // Fastify has no public way to reach those beside `server`. Where this is not found, they go without.
    for (let scope: object | null = app; scope !== null; scope = Object.getPrototypeOf(scope) as object | null) {
      const symbol = Object.getOwnPropertySymbols(scope).find(
        ({ description }) => description === 'fastify.serverBindings',
      )
      if (symbol === undefined) continue
      for (const server of (scope as Record<symbol, readonly Server[]>)[symbol] ?? []) each(server)
      break
    }
    done()
  })
}
