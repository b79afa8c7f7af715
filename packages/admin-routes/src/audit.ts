import { channel } from 'node:diagnostics_channel'

/** What an operator can do that changes something. */
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
  | 'server.state'

/** What is to be the same after a restart. */
export const lasting: ReadonlySet<AdminAction> = new Set<AdminAction>([
  'backends.replace',
  'backends.rollback',
  'backend.add',
  'backend.update',
  'backend.remove',
  'backend.state',
])

/** Somebody has changed something through the admin routes. Plain data. */
export interface AdminChange {
  /** As the option `user` says; undefined where nobody has signed in. */
  readonly who: string | undefined
  readonly what: AdminAction
  /** The name of the balancer, unless it concerned the whole server. */
  readonly balancer?: string
  /** The id of the backend, if it concerned one. */
  readonly backend?: string
  /** What it was: a list of backends, one of them, or the name of a state. */
  readonly before: unknown
  readonly after: unknown
  /** Of the set of that balancer, once the change was made. */
  readonly revision?: number
  /** In ms since the epoch. */
  readonly at: number
}

/** What is told on the channel. */
export interface AdminNotice extends AdminChange {
  /** The app's server, so that several in one process are told apart. */
  readonly server?: unknown
}

/** For those who look on from outside: `admin-routes:change`, told of every change that was made, and of no other. */
export const changes = channel<unknown, AdminNotice>('admin-routes:change')
