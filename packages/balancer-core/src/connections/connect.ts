import type { Socket } from 'node:net'
import type { buildConnector, Client, Dispatcher } from 'undici'
import type { HeldBody } from './held-body.ts'
import type { ConnectionAware, Retiring } from './request-pool.ts'
import type { TrailerSource } from './trailer-section.ts'

/** A request, whose body may be held back: see `HeldBody`. */
export interface ConnectionRequest extends Dispatcher.DispatchOptions {
  readonly held?: HeldBody
  /** What may follow its body, if that is a stream of unknown length. */
  trailers?: TrailerSource
  /** The client's connection: see `CarryingConnection.bindTo`. */
  readonly client?: Socket
  /** The protocols that it may be switched to: the value of `Upgrade`. */
  readonly switchTo?: string
}

/** Asks a backend to switch protocols, each time on a connection of its own. */
export interface ProtocolSwitching {
  ask(options: ConnectionRequest, handler: ConnectionAware): void
  /** Resolves once no backend is being asked. */
  over(): Promise<void>
  /** Aborts what is under way. */
  abort(error: Error): void
}

/** Opens sockets; returns the one that it opens, so that this can be cancelled. */
export type Connect = (
  options: buildConnector.Options & {
    /** Written before everything else, even TLS: a header of the PROXY protocol. */
    readonly header?: Buffer
  },
  callback: buildConnector.Callback,
) => Socket | undefined

/** Opens the sockets of a connection. */
export type ConnectorOf = (connection: () => Client | Retiring) => Connect

/** The request whose body was held back. */
export function withBody(options: ConnectionRequest, { body }: HeldBody): ConnectionRequest {
  const { held: _, ...others } = options
  return { ...others, body, reset: false }
}
