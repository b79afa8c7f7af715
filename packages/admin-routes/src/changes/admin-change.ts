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
  | 'server.restart'

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
  /** Parameters: `deadline` of a drain or removal, `grace` and `close` of a server drain, `ttl` and `reason` of a hold (ms). */
  readonly terms?: {
    readonly deadline?: number
    readonly grace?: number
    readonly close?: boolean
    readonly ttl?: number
    readonly reason?: string
  }
  /** The balancer's revision after the change. */
  readonly revision?: number
  /** In ms since the epoch. */
  readonly at: number
  /** The whole of it in one sentence, as in the log: `maria set b2: ready → drain (deadline 30 s)`. */
  readonly text: string
}

/** A change through the admin routes that was refused, or that is in force but was not saved (507). Plain data. */
export type RefusedChange = Pick<AdminChange, 'who' | 'what' | 'balancer' | 'backend' | 'at' | 'text'> & {
  readonly refused: {
    readonly statusCode: number
    readonly code?: string
    readonly message: string
    /** Everything that was wrong with it. */
    readonly faults?: readonly string[]
  }
}
