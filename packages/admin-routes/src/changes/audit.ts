import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { channel } from 'node:diagnostics_channel'
import type { AdminAction, AdminChange } from './admin-change.ts'
import { auditSentence } from './audit-sentence.ts'
import { shortened } from './shortened.ts'

/** The changes that survive a restart. */
export const lasting: ReadonlySet<AdminAction> = new Set<AdminAction>([
  'backends.replace',
  'backends.rollback',
  'backend.add',
  'backend.update',
  'backend.remove',
  'backend.state',
])

/** A change of a balancer, or of one of its backends. */
export type BalancerChange = Omit<AdminChange, 'who' | 'balancer' | 'at'> & { readonly revision: number }

/** Message of the channel `admin-routes:change`. */
export interface AdminNotice extends AdminChange {
  /** The app's server, to tell apart several in one process. */
  readonly server?: unknown
}

/** The diagnostics channel `admin-routes:change`: one message for each change that was made. */
const changes = channel<unknown, AdminNotice>('admin-routes:change')

const longestName = 200

/** The option `user`: names the operator of a request. */
type FindUser = ((request: FastifyRequest) => string | undefined) | undefined

/** An id may also be an object, e.g. of a database, which has no useful text. */
function isText(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

function nameOf(user: unknown): string | undefined {
  if (typeof user === 'string') return user
  const fields = (user ?? {}) as Record<string, unknown>
  const found = [fields.id, fields.name, fields.username, fields.sub].find(isText)
  return found === undefined ? undefined : String(found)
}

/** Identifies operators, and records their changes: one log line and one channel message each. */
export class Audit {
  readonly #app: FastifyInstance
  readonly #user: FindUser
  readonly #who = new WeakMap<FastifyRequest, string>()

  /** `user`: the option. */
  constructor(app: FastifyInstance, user: FindUser) {
    this.#app = app
    this.#user = user
  }

  /** Identifies the operator of a request, before anything is changed. */
  identify(request: FastifyRequest): void {
    const user = this.#user
    const who = user === undefined ? nameOf((request as { user?: unknown }).user) : user(request)
    if (typeof who === 'string') this.#who.set(request, who.slice(0, longestName))
  }

  /** The operator of a request, if known. */
  whoIs(request: FastifyRequest): string | undefined {
    return this.#who.get(request)
  }

  /** Records a change of a balancer, or of one of its backends. */
  record(request: FastifyRequest, { name, options }: Balancer, done: BalancerChange): void {
    const change = { balancer: name, ...done }
    this.#tell(request, change, auditSentence({ ...change, drainDeadline: options.drainDeadline }))
  }

  /** Records a change of the whole server. */
  recordOfServer(request: FastifyRequest, done: Pick<AdminChange, 'what' | 'before' | 'after' | 'terms'>): void {
    this.#tell(request, done, auditSentence(done))
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
