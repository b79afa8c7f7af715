import type { Backend, Balancer, PreviewedBackend } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Admission } from './admission.ts'
import { changes, lasting, type AdminChange } from './audit.ts'
import { BadRequestError, toldFaults, UnknownBackendError, UnknownBalancerError } from './errors.ts'
import { Extensions } from './extensions.ts'
import { requiredRevision, tagOf } from './if-match.ts'
import type { ParsedOptions } from './options.ts'
import { Keeper } from './persistence/index.ts'
import type { PreviewView } from './schemas/views.ts'
import type { WantedBackend } from './schemas/wanted.ts'
import { serverStateOf, type ServerState } from './server-state.ts'
import { Views } from './views.ts'

type Wanted = readonly (string | WantedBackend)[]
type Preview = Static<typeof PreviewView>

const longestName = 200

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

function copied({ zone, tags, ...rest }: PreviewedBackend) {
  return { ...rest, ...(zone !== undefined && { zone }), tags: [...tags] }
}

/** What all routes share: where the balancers are found, what may be done to them, and who is told. */
export class Desk {
  readonly options: ParsedOptions
  readonly extensions: Extensions
  readonly views: Views
  readonly serverState: ServerState
  readonly #app: FastifyInstance
  readonly #admission: Admission
  readonly #who = new WeakMap<FastifyRequest, string>()
  readonly #saving = new WeakMap<FastifyRequest, Promise<void>>()
  #keeper: Keeper | undefined

  constructor(app: FastifyInstance, options: ParsedOptions) {
    this.options = options
    this.extensions = new Extensions(app)
    this.views = new Views(this.extensions)
    this.serverState = serverStateOf(app)
    this.#app = app
    this.#admission = new Admission(options.allow, app.initialConfig)
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
      faults: [...faults, ...this.#admission.refused(balancer, wanted)],
    }
  }

  /** The same of a list that somebody has just written, and so may write otherwise. */
  previewGiven(balancer: Balancer, wanted: Wanted): Preview {
    const preview = this.preview(balancer, wanted)
    return { ...preview, faults: [...preview.faults, ...this.#admission.unnameable(balancer, wanted)] }
  }

  /** The same for one of a list: its faults begin at itself. */
  previewOne(balancer: Balancer, wanted: Wanted, index: number): Preview {
    const preview = this.previewGiven(balancer, wanted)
    return { ...preview, faults: preview.faults.map((fault) => fault.replace(`backends.${index}.`, '')) }
  }

  /** The answer of a dry run. */
  dryRun(preview: Preview): Preview {
    return { ...preview, faults: [...toldFaults(preview.faults)] }
  }

  /** @throws BadRequestError naming every fault, or the first of very many */
  refuseFaulty({ faults }: Preview): void {
    if (faults.length > 0) throw new BadRequestError(faults)
  }

  /** Finds out who asks, before anything is done. */
  identify(request: FastifyRequest): void {
    const { user } = this.options
    const who = user === undefined ? nameOf((request as { user?: unknown }).user) : user(request)
    if (typeof who === 'string') this.#who.set(request, who.slice(0, longestName))
  }

  /** Who asks, as far as it has been found out. */
  whoIs(request: FastifyRequest): string | undefined {
    return this.#who.get(request)
  }

  /** Tells that something was changed: one line in the log, one message on the channel; and saves what is to last. */
  record(
    request: FastifyRequest,
    balancer: Balancer,
    done: Omit<AdminChange, 'who' | 'balancer' | 'at'> & { readonly revision: number },
  ): void {
    const who = this.whoIs(request)
    const change: AdminChange = { who, balancer: balancer.name, ...done, at: Date.now() }
    const of = done.backend === undefined ? `balancer '${balancer.name}'` : `backend '${done.backend}'`
    request.log.info({ change }, `${who ?? 'somebody'} did ${done.what} to ${of}, revision ${done.revision}`)
    if (changes.hasSubscribers) changes.publish({ ...change, server: this.#app.server })
    if (lasting.has(done.what)) this.save(request, balancer)
  }

  /** The same of something that concerns no single balancer. */
  recordOfServer(request: FastifyRequest, done: Pick<AdminChange, 'what' | 'before' | 'after'>): void {
    const who = this.whoIs(request)
    const change: AdminChange = { who, ...done, at: Date.now() }
    request.log.info({ change }, `${who ?? 'somebody'} did ${done.what}: ${String(done.after)}`)
    if (changes.hasSubscribers) changes.publish({ ...change, server: this.#app.server })
  }

  /** Puts saved lists in place of the configured ones, of all balancers that are there. @throws as `Keeper` does */
  async restore(): Promise<void> {
    const { persist } = this.options
    if (persist === undefined) return
    this.#keeper ??= await Keeper.open(persist, this.balancers, this.#app.log)
    try {
      await this.#keeper.restore((balancer, wanted) => this.preview(balancer, wanted))
    } catch (error) {
      // The app does not start, and may never be closed.
      await this.close()
      throw error
    }
  }

  /** Begins to save a list; `saved` waits for it. */
  save(request: FastifyRequest, balancer: Balancer): void {
    const saving = this.#keeper?.save(balancer)
    if (saving === undefined) return
    saving.catch(() => {})
    this.#saving.set(request, saving)
  }

  /** What a request has changed is on disk, if it is to be there. Throws once at most. @throws UnsavedError */
  async saved(request: FastifyRequest): Promise<void> {
    const saving = this.#saving.get(request)
    this.#saving.delete(request)
    await saving
  }

  /** All balancers are there. */
  async settle(): Promise<void> {
    for (const name of this.balancers.keys()) {
      const obstacle = this.#admission.obstacle(name)
      if (obstacle !== undefined) this.#app.log.warn({ balancer: name }, `balancer '${name}': ${obstacle}`)
    }
    await this.#keeper?.settle()
  }

  /** The app is closing: nothing is left unsaved that can be saved. */
  async close(): Promise<void> {
    await this.#keeper?.close()
  }

  /** Writes the revision of an answer on it. */
  tag(reply: FastifyReply, revision: number): void {
    void reply.header('etag', tagOf(revision))
  }
}
