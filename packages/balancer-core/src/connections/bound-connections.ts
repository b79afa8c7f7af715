import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'

/**
 * The connections of one backend that clients have signed in over, each by its client's own connection. None is ever used
 * for anybody else; it is closed together with its client's.
 */
export class BoundConnections {
  /** A client that has lost its connection is still listened to, for its next one. */
  readonly #byClient = new Map<Socket, Connection | undefined>()
  readonly #release: (connection: Connection) => void

  /** `release` is to close a connection, now or once it has nothing to do. */
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

  /** The client's own connection, if it has one that is free. */
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

  /** The one that has been bound for longest and has nothing to do. */
  get idle(): Connection | undefined {
    for (const connection of this.#byClient.values()) if (connection?.inUse === false) return connection
    return undefined
  }
}
