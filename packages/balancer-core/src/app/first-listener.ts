import type { Server } from 'node:net'

/**
 * Lets `take` have each event of this name before everybody else who listens for it: what it takes, they do not get. An
 * emitter has no other way. Our own listener must be there already; as long as there is no other, nothing changes.
 */
export function goFirst(server: Server, event: string, take: (...given: never[]) => boolean): void {
  let isFirst = false
  const begin = () => {
    if (isFirst) return
    isFirst = true
    const emit = server.emit.bind(server) as (name: string, ...given: never[]) => boolean
    server.emit = ((name: string, ...given: never[]) =>
      (name === event && take(...given)) || emit(name, ...given)) as Server['emit']
  }
  if (server.listenerCount(event) > 1) begin()
  else
    server.on('newListener', (name: string) => {
      if (name === event) begin()
    })
}
