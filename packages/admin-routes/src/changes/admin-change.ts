/** The kinds of changes through the admin routes. */
export type AdminAction =
  | 'backends.replace'
  | 'backends.rollback'
  | 'backend.add'
  | 'backend.update'
  | 'backend.remove'
  | 'backend.state'
  | 'backend.probe'
  | 'circuit.hold'
  | 'circuit.release'
  | 'tunnel.close'
  | 'server.state'

/** A change through the admin routes. Plain data. */
export interface AdminChange {
  /** As the option `user` says; undefined if the request is not authenticated. */
  readonly who: string | undefined
  readonly what: AdminAction
  /** The name of the balancer, unless the change concerns the whole server. */
  readonly balancer?: string
  /** The id of the backend, if the change concerns one. */
  readonly backend?: string
  /** The value before: a list of backends, one of them, a tunnel, or the name of a state. */
  readonly before: unknown
  readonly after: unknown
  /** Parameters: `deadline` of a backend drain (ms), `grace` (ms) and `close` of a server drain. */
  readonly terms?: { readonly deadline?: number; readonly grace?: number; readonly close?: boolean }
  /** The balancer's revision after the change. */
  readonly revision?: number
  /** In ms since the epoch. */
  readonly at: number
}
