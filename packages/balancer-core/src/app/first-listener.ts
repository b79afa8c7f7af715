import type { Server } from 'node:net'

/**
 * Lets `take` have each event of this name before everybody else who listens for it: what it takes, they do not get. An
 * emitter has no other way. Our own listener must be there already; as long as there is no other, nothing changes.
 */
export function goFirst<Given extends readonly unknown[]>(
  server: Server,
  event: string,
  take: (...given: Given) => boolean,
): void {
  let isFirst = false
  const begin = () => {
    if (isFirst) return
    isFirst = true
    const { emit } = server
    server.emit = function emitOnce(this: Server, name: string, ...given: never[]) {
      return (name === event && take(...(given as unknown as Given))) || Reflect.apply(emit, this, [name, ...given])
    } as Server['emit']
  }
  if (server.listenerCount(event) > 1) begin()
  else
    server.on('newListener', (name: string) => {
      if (name === event) begin()
    })
}
