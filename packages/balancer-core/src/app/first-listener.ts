import type { Server } from 'node:net'

/**
 * Lets `share` have each event of this name before everybody who listens for it: they get it if `share` emits it. An emitter
 * has no other way. Our own listener must be there already; as long as there is no other, nothing changes.
 */
export function goFirst(server: Server, name: string, share: (given: never, emit: () => boolean) => boolean): void {
  let isFirst = false
  const begin = () => {
    if (isFirst) return
    isFirst = true
    // oxlint-disable-next-line typescript/unbound-method -- it is called on the same server
    const { emit } = server
    server.emit = function emitOnce(this: Server, event: string, ...given: unknown[]) {
      const emitNow = () => Reflect.apply<Server, unknown[], boolean>(emit, this, [event, ...given])
      return event === name ? share(given as never, emitNow) : emitNow()
    } as Server['emit']
  }
  if (server.listenerCount(name) > 1) begin()
  else
    server.on('newListener', (event: string) => {
      if (event === name) begin()
    })
}
