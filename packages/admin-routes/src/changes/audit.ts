import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { channel } from 'node:diagnostics_channel'
import type { AdminAction, AdminChange, RefusedChange } from './admin-change.ts'
import { auditSentence } from './audit-sentence.ts'
import { attemptedChange, type Refusal } from './refused-change.ts'
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
export type BalancerChange = Omit<AdminChange, 'who' | 'balancer' | 'at' | 'text'> & { readonly revision: number }

/** Message of the channel `admin-routes:change`. */
export interface AdminNotice extends AdminChange {
  /** The app's server, to tell apart several in one process. */
  readonly server?: unknown
}

/** Message of the channel `admin-routes:refused`. */
export interface RefusalNotice extends RefusedChange {
  readonly server?: unknown
}

/** The diagnostics channel `admin-routes:change`: one message for each change that was made. */
const changes = channel<unknown, AdminNotice>('admin-routes:change')

/** The diagnostics channel `admin-routes:refused`: one message for each change that was not. */
const refusals = channel<unknown, RefusalNotice>('admin-routes:refused')

/** With other statuses nobody has been identified, or nothing was asked for that could be done. */
const told: ReadonlySet<number> = new Set([400, 409, 412, 507])

/** A 404 is mostly a wrong address; but which revisions are kept changes with the list. */
function isTold({ statusCode, code }: Refusal): boolean {
  return told.has(statusCode) || code === 'FST_BALANCER_ADMIN_UNKNOWN_REVISION'
}

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
  /** Those that have passed authentication. */
  readonly #admitted = new WeakSet<FastifyRequest>()

  /** `user`: the option. */
  constructor(app: FastifyInstance, user: FindUser) {
    this.#app = app
    this.#user = user
  }

  /** Identifies the operator of a request, before anything is changed. */
  identify(request: FastifyRequest): void {
    this.admit(request)
    const who = this.#find(request)
    if (who !== undefined) this.#who.set(request, who)
  }

  /** A request has passed authentication. */
  admit(request: FastifyRequest): void {
    this.#admitted.add(request)
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

  /** Records that a change of an operator was refused, if the request was one. */
  refuse(request: FastifyRequest, refused: Refusal): void {
    if (!this.#admitted.has(request) || !isTold(refused)) return
    const attempted = attemptedChange(request, refused)
    if (attempted === undefined) return
    const who = this.whoIs(request) ?? this.#guess(request)
    const text = `${who ?? 'somebody'} ${attempted.sentence}`
    const { what, balancer, backend } = attempted
    const change: RefusedChange = {
      who,
      what,
      ...(balancer !== undefined && { balancer }),
      ...(backend !== undefined && { backend }),
      at: Date.now(),
      text,
      refused,
    }
    const { text: _, ...fields } = change
    request.log.warn({ change: fields }, text)
    if (refusals.hasSubscribers) refusals.publish({ ...change, server: this.#app.server })
  }

  #find(request: FastifyRequest): string | undefined {
    const user = this.#user
    const who = user === undefined ? nameOf((request as { user?: unknown }).user) : user(request)
    return typeof who === 'string' ? who.slice(0, longestName) : undefined
  }

  /** Of a request whose body cannot be read: hooks that say who it is may not have run. */
  #guess(request: FastifyRequest): string | undefined {
    try {
      return this.#find(request)
    } catch {
      return undefined
    }
  }

  #tell(request: FastifyRequest, done: Omit<AdminChange, 'who' | 'at' | 'text'>, sentence: string): void {
    const who = this.whoIs(request)
    const text = `${who ?? 'somebody'} ${sentence}`
    const change: AdminChange = { who, ...done, at: Date.now(), text }
    const { before, after, text: _, ...fields } = change
    request.log.info({ change: { ...fields, before: shortened(before), after: shortened(after) } }, text)
    if (changes.hasSubscribers) changes.publish({ ...change, server: this.#app.server })
  }
}
