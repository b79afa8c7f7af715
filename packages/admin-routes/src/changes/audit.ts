import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { channel } from 'node:diagnostics_channel'
import { shortened } from './shortened.ts'

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

/** In the log, between who did it and the name of the balancer or backend. */
const sentences: Readonly<Record<AdminAction, string>> = {
  'backends.replace': 'replaced the list of balancer',
  'backends.rollback': 'rolled back the list of balancer',
  'backend.add': 'added backend',
  'backend.update': 'changed backend',
  'backend.remove': 'removed backend',
  'backend.state': 'changed the state of backend',
  'backend.probe': 'probed backend',
  'circuit.hold': 'held the circuit of backend',
  'circuit.release': 'released the circuit of backend',
  'server.state': 'changed the state of the server',
}

/** From one state to another, where that is what was changed. */
function states({ before, after }: Pick<AdminChange, 'before' | 'after'>): string {
  return typeof before === 'string' && typeof after === 'string' ? ` from ${before} to ${after}` : ''
}

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
  /** What was said beside it: `deadline` of a drain (ms), `grace` (ms) and `close` of that of the whole server. */
  readonly terms?: { readonly deadline?: number; readonly grace?: number; readonly close?: boolean }
  /** Of the set of that balancer, once the change was made. */
  readonly revision?: number
  /** In ms since the epoch. */
  readonly at: number
}

/** What was done to a balancer, or to one of its backends. */
export type BalancerChange = Omit<AdminChange, 'who' | 'balancer' | 'at'> & { readonly revision: number }

/** What is told on the channel. */
export interface AdminNotice extends AdminChange {
  /** The app's server, so that several in one process are told apart. */
  readonly server?: unknown
}

/** For those who look on from outside: `admin-routes:change`, told of every change that was made, and of no other. */
const changes = channel<unknown, AdminNotice>('admin-routes:change')

const longestName = 200

/** The option `user`: who it was, as far as the app knows. */
type FindUser = ((request: FastifyRequest) => string | undefined) | undefined

/** An id may be an object, e.g. of a database, that says nothing as text. */
function isText(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

function nameOf(user: unknown): string | undefined {
  if (typeof user === 'string') return user
  const fields = (user ?? {}) as Record<string, unknown>
  const found = [fields.id, fields.name, fields.username, fields.sub].find(isText)
  return found === undefined ? undefined : String(found)
}

/** Knows who asks, and tells what they have changed: one line in the log, one message on the channel. */
export class Audit {
  readonly #app: FastifyInstance
  readonly #user: FindUser
  readonly #who = new WeakMap<FastifyRequest, string>()

  /** `user`: the option. */
  constructor(app: FastifyInstance, user: FindUser) {
    this.#app = app
    this.#user = user
  }

  /** Finds out who asks, before anything is done. */
  identify(request: FastifyRequest): void {
    const user = this.#user
    const who = user === undefined ? nameOf((request as { user?: unknown }).user) : user(request)
    if (typeof who === 'string') this.#who.set(request, who.slice(0, longestName))
  }

  /** Who asks, as far as it has been found out. */
  whoIs(request: FastifyRequest): string | undefined {
    return this.#who.get(request)
  }

  /** Tells that a balancer was changed, or one of its backends. */
  record(request: FastifyRequest, { name }: Balancer, done: BalancerChange): void {
    const { what, backend = name, revision } = done
    const sentence = `${sentences[what]} '${backend}'${states(done)}, revision ${revision}`
    this.#tell(request, { balancer: name, ...done }, sentence)
  }

  /** The same of something that concerns no single balancer. */
  recordOfServer(request: FastifyRequest, done: Pick<AdminChange, 'what' | 'before' | 'after' | 'terms'>): void {
    this.#tell(request, done, `${sentences[done.what]}${states(done)}`)
  }

  #tell(request: FastifyRequest, done: Omit<AdminChange, 'who' | 'at'>, sentence: string): void {
    const who = this.whoIs(request)
    const change: AdminChange = { who, ...done, at: Date.now() }
    const { before, after } = change
    request.log.info(
      { change: { ...change, before: shortened(before), after: shortened(after) } },
      `${who ?? 'somebody'} ${sentence}`,
    )
    if (changes.hasSubscribers) changes.publish({ ...change, server: this.#app.server })
  }
}
