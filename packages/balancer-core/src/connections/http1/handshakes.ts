import type { Connect, ConnectionRequest, ConnectorOf, ProtocolSwitching } from '../connect.ts'
import type { ConnectionAware, Retiring } from '../request-pool.ts'
import { Handshake } from './handshake.ts'

/** A tunnel stays where it is, whatever addresses the backend's name has by now. */
const staying: Retiring = { retire() {} }

/** The handshakes with one backend that are under way. */
export class Handshakes implements ProtocolSwitching {
  readonly #url: URL
  readonly #connect: Connect
  readonly #maxHeaderSize: number
  readonly #all = new Set<Handshake>()
  #whenOver: (() => void)[] = []

  constructor(origin: string, connectorOf: ConnectorOf, maxHeaderSize: number) {
    this.#url = new URL(origin)
    this.#connect = connectorOf(() => staying)
    this.#maxHeaderSize = maxHeaderSize
  }

  /** Asks the backend to switch protocols, on a new connection. */
  ask(options: ConnectionRequest, handler: ConnectionAware): true {
    const onOver = (handshake: Handshake) => {
      this.#all.delete(handshake)
      if (this.#all.size === 0) for (const resolve of this.#whenOver.splice(0)) resolve()
    }
    const settings = { url: this.#url, connect: this.#connect, maxHeaderSize: this.#maxHeaderSize, onOver }
    const handshake = new Handshake(settings, options, handler)
    this.#all.add(handshake)
    handshake.begin()
    return true
  }

  /** Resolves once none is under way. */
  over(): Promise<void> {
    return this.#all.size === 0 ? Promise.resolve() : new Promise((resolve) => void this.#whenOver.push(resolve))
  }

  /** Aborts those under way. */
  abort(error: Error): void {
    for (const handshake of this.#all) handshake.abort(error)
  }
}
