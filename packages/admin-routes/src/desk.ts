import type { Backend, Balancer, PreviewedBackend } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AllowList } from './allow-list.ts'
import { changes, type AdminChange } from './audit.ts'
import { BadRequestError, UnknownBackendError, UnknownBalancerError } from './errors.ts'
import { Extensions } from './extensions.ts'
import { requiredRevision, tagOf } from './if-match.ts'
import type { ParsedOptions } from './options.ts'
import type { PreviewView } from './schemas/views.ts'
import type { WantedBackend } from './schemas/wanted.ts'
import { Views } from './views.ts'

type Wanted = readonly (string | WantedBackend)[]
type Preview = Static<typeof PreviewView>

const longestName = 200

function nameOf(user: unknown): string | undefined {
  if (typeof user === 'string') return user
  const fields = (user ?? {}) as Record<string, unknown>
  const found = [fields.id, fields.name, fields.username, fields.sub].find((one) => one !== undefined && one !== null)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined
}

function copied({ zone, tags, ...rest }: PreviewedBackend) {
  return { ...rest, ...(zone !== undefined && { zone }), tags: [...tags] }
}

/** What all routes share: where the balancers are found, what may be done to them, and who is told. */
export class Desk {
  readonly options: ParsedOptions
  readonly extensions: Extensions
  readonly views: Views
  readonly #app: FastifyInstance
  readonly #allowed: AllowList
  readonly #who = new WeakMap<FastifyRequest, string>()

  constructor(app: FastifyInstance, options: ParsedOptions) {
    this.options = options
    this.extensions = new Extensions(app)
    this.views = new Views(this.extensions)
    this.#app = app
    this.#allowed = new AllowList(options.allow)
  }

  get balancers(): ReadonlyMap<string, Balancer> {
    return this.#app.balancers
  }

  /** @throws UnknownBalancerError */
  balancer(name: string): Balancer {
    const balancer = this.balancers.get(name)
    if (balancer === undefined) throw new UnknownBalancerError(name)
    return balancer
  }

  /** @throws UnknownBalancerError; UnknownBackendError */
  backend(name: string, id: string): { readonly balancer: Balancer; readonly backend: Backend } {
    const balancer = this.balancer(name)
    const backend = balancer.backends.find((one) => one.id === id)
    if (backend === undefined) throw new UnknownBackendError(id)
    return { balancer, backend }
  }

  /** The balancer of a change, and the revision that it requires. @throws as `balancer` and `requiredRevision` do */
  change(request: FastifyRequest): { readonly balancer: Balancer; readonly condition: { readonly revision?: number } } {
    const balancer = this.balancer((request.params as { name: string }).name)
    return { balancer, condition: requiredRevision(request.headers['if-match'], balancer) }
  }

  /** What a list would change, and everything that is wrong with it. */
  preview(balancer: Balancer, wanted: Wanted): Preview {
    const { added, removed, changed, faults } = balancer.preview(wanted)
    return {
      added: [...added],
      removed: [...removed],
      changed: changed.map(({ id, from, to }) => ({ id, from: copied(from), to: copied(to) })),
      faults: [...faults, ...this.#refused(balancer, wanted)],
    }
  }

  /** The same for one of a list: its faults begin at itself. */
  previewOne(balancer: Balancer, wanted: Wanted, index: number): Preview {
    const preview = this.preview(balancer, wanted)
    return { ...preview, faults: preview.faults.map((fault) => fault.replace(`backends.${index}.`, '')) }
  }

  /** @throws BadRequestError naming every fault */
  refuseFaulty({ faults }: Preview): void {
    if (faults.length > 0) throw new BadRequestError(faults)
  }

  /** Finds out who asks, before anything is done. */
  identify(request: FastifyRequest): void {
    const { user } = this.options
    const who = user === undefined ? nameOf((request as { user?: unknown }).user) : user(request)
    if (typeof who === 'string') this.#who.set(request, who.slice(0, longestName))
  }

  /** Tells that something was changed: one line in the log, one message on the channel. */
  record(request: FastifyRequest, balancer: Balancer, done: Omit<AdminChange, 'who' | 'balancer' | 'at'>): void {
    const who = this.#who.get(request)
    const change: AdminChange = { who, balancer: balancer.name, ...done, at: Date.now() }
    const of = done.backend === undefined ? `balancer '${balancer.name}'` : `backend '${done.backend}'`
    request.log.info({ change }, `${who ?? 'somebody'} did ${done.what} to ${of}, revision ${done.revision}`)
    if (changes.hasSubscribers) changes.publish({ ...change, server: this.#app.server })
  }

  /** Writes the revision of an answer on it. */
  tag(reply: FastifyReply, revision: number): void {
    void reply.header('etag', tagOf(revision))
  }

  #refused(balancer: Balancer, wanted: Wanted): string[] {
    const known = new Set(balancer.backends.map(({ id, url }) => `${url} ${id}`))
    return wanted.flatMap((item, index) => {
      // What is wrong with its shape, the balancer has said already.
      const given = (typeof item === 'string' ? { url: item } : item) as WantedBackend | null
      const origin = typeof given?.url === 'string' ? URL.parse(given.url)?.origin : undefined
      if (origin === undefined || known.has(`${origin} ${given?.id ?? origin}`) || this.#allowed.allows(origin))
        return []
      return [`backends.${index}.url: '${origin}' is not among those that may be added`]
    })
  }
}
