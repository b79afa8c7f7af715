import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'

/**
 * The connections of one backend that are authenticated for a client, by that client's connection. None is ever used
 * for another client; it is closed together with its client's connection.
 */
export class BoundConnections {
  /** The listener stays after a connection is lost, for the client's next one. */
  readonly #byClient = new Map<Socket, Connection | undefined>()
  readonly #release: (connection: Connection) => void

  /** `release` must close a connection, now or once it is idle. */
  constructor(release: (connection: Connection) => void) {
    this.#release = release
  }

  bind(connection: Connection, client: Socket): void {
    const isKnown = this.#byClient.has(client)
    const former = this.#byClient.get(client)
    this.#byClient.set(client, connection)
    if (former !== undefined) this.#release(former)
    if (isKnown) return
    client.once('close', () => {
      const own = this.#byClient.get(client)
      this.#byClient.delete(client)
      if (own !== undefined) this.#release(own)
    })
  }

  /** The connection bound to this client, if it has one that is free. */
  of(client: Socket | undefined): Connection | undefined {
    if (this.#byClient.size === 0 || client === undefined) return undefined
    const own = this.#byClient.get(client)
    return own !== undefined && own.usable && !own.inUse ? own : undefined
  }

  has(connection: Connection): boolean {
    return connection.client !== undefined && this.#byClient.get(connection.client) === connection
  }

  forget(connection: Connection): void {
    if (this.has(connection)) this.#byClient.set(connection.client!, undefined)
  }

  /** The idle one that has been bound for longest. */
  get idle(): Connection | undefined {
    for (const connection of this.#byClient.values()) if (connection?.inUse === false) return connection
    return undefined
  }
}
