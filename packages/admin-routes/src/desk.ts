import type { Backend, BackendSet, Balancer, Preview } from '@fastify-balancer/balancer-core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { withoutSecrets } from '@fastify-balancer/option-schema'
import { setImmediate } from 'node:timers/promises'
import { Admission } from './changes/admission.ts'
import { Audit, lasting, type BalancerChange } from './changes/audit.ts'
import { toldFaults, UnknownBalancerError } from './errors.ts'
import { Extensions } from './extensions.ts'
import { AllElsewhere, type Elsewhere, type ToldViews, type ViewQuestion } from './instances/elsewhere.ts'
import { headerOf, instancesOf, type Instances } from './instances/instances.ts'
import { historyOf, type History } from './history/history.ts'
import { pastOf, type Past } from './history/past.ts'
import { Holds } from './changes/holds.ts'
import { requiredRevision } from './changes/if-match.ts'
import { order } from './changes/orders.ts'
import type { ParsedOptions } from './options.ts'
import { Keeping } from './persistence/index.ts'
import { refusalsOf, type Wanted } from './changes/preview.ts'
import { hearReloads } from './reload/reload-notices.ts'
import { serverStateOf, type ServerState } from './server-state.ts'
import { Views } from './views/views.ts'

/** Changing a longer list takes noticeable time. */
const longList = 1000

/** The revision that a change requires, and whether to make it even if no backend would be usable; and that it is ordered. */
interface Condition {
  readonly revision?: number
  readonly force: boolean
  readonly cause: typeof order
}

/** What all routes share: finding balancers, checking changes, recording and saving them. */
export class Desk {
  readonly options: ParsedOptions
  readonly extensions: Extensions
  readonly views: Views
  readonly serverState: ServerState
  readonly audit: Audit
  readonly history: History
  readonly instances: Instances
  readonly past: Past
  readonly holds: Holds
  readonly #app: FastifyInstance
  readonly #admission: Admission
  readonly #saving = new WeakMap<FastifyRequest, Promise<void>>()
  #keeping: Keeping | undefined

  constructor(app: FastifyInstance, options: ParsedOptions) {
    this.options = options
    this.extensions = new Extensions(app)
    this.views = new Views(this.extensions)
    this.serverState = serverStateOf(app)
    this.audit = new Audit(app, options.user)
    this.history = historyOf(app)
    this.instances = instancesOf(app)
    this.past = pastOf(app)
    this.holds = new Holds(this.instances, this.extensions, app.balancers)
    this.instances.answer('views', (question: ViewQuestion) => this.views.told(this.balancers, question))
    this.#app = app
    this.#admission = new Admission(options.allow, app.initialConfig)
    // A failure is logged, and reported to the client that requested the reload.
    const deaf = hearReloads(app, ({ report }) => void (report.applied && this.followReload().catch(() => {})))
    app.addHook('onClose', async () => deaf())
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
    return { balancer, backend: balancer.backend(id) }
  }

  /** What the other instances tell; undefined if this one is alone. A header names those that have not answered. */
  async allElsewhere(reply: FastifyReply, question: ViewQuestion): Promise<AllElsewhere | undefined> {
    const { instances } = this
    if (instances.fleet === undefined) return undefined
    const { answers, missing } = await instances.ask<ToldViews>('views', question)
    this.tellMissing(reply, missing)
    return new AllElsewhere([...answers.values()], await instances.left(answers.keys()))
  }

  /** The same of one balancer. */
  async elsewhere(
    reply: FastifyReply,
    { name }: Balancer,
    backends: ViewQuestion['backends'],
  ): Promise<Elsewhere | undefined> {
    return (await this.allElsewhere(reply, { balancer: name, backends }))?.of(name)
  }

  /** Instances that have not answered, and so are left out. */
  tellMissing(reply: FastifyReply, missing: readonly string[]): void {
    if (missing.length > 0) void reply.header('x-balancer-missing-instances', headerOf(missing))
  }

  /** Waits until a change is in force everywhere; a header names the instances where it may not be. Then as `elsewhere`. */
  async inForce(
    reply: FastifyReply,
    balancer: Balancer,
    backends: ViewQuestion['backends'],
  ): Promise<Elsewhere | undefined> {
    this.tellUnconfirmed(reply, (await this.instances.fleet?.list(balancer.name)?.unconfirmed()) ?? [])
    return this.elsewhere(reply, balancer, backends)
  }

  /** Instances that may not have a change yet. */
  tellUnconfirmed(reply: FastifyReply, ids: readonly string[]): void {
    if (ids.length > 0) void reply.header('x-balancer-unconfirmed', headerOf(ids))
  }

  /** Before a change: what others have changed is in force here, too, so that `If-Match` means the same everywhere. */
  async catchUp({ params }: FastifyRequest): Promise<void> {
    const { name } = params as { readonly name?: string }
    if (name !== undefined) await this.instances.fleet?.list(name)?.caughtUp()
  }

  /** The balancer of a change, and the revision that it requires. @throws as `balancer` and `requiredRevision` do */
  change(request: FastifyRequest): { readonly balancer: Balancer; readonly condition: Condition } {
    const balancer = this.balancer((request.params as { name: string }).name)
    const { force = false } = request.query as { readonly force?: boolean }
    return { balancer, condition: { ...requiredRevision(request.headers['if-match'], balancer), force, cause: order } }
  }

  /**
   * What a list would change, and all its faults. `isGiven`: the client has just written this list, so it can also change
   * its ids.
   */
  async preview(balancer: Balancer, wanted: Wanted, isGiven = false): Promise<Preview> {
    const preview = await balancer.previewInSlices(wanted)
    return { ...preview, faults: [...preview.faults, ...(await this.#admission.faults(balancer, wanted, isGiven))] }
  }

  /** The same for one backend of a list: the faults' places are relative to it. */
  async previewOne(balancer: Balancer, wanted: Wanted, index: number): Promise<Preview> {
    const preview = await this.preview(balancer, wanted, true)
    return { ...preview, faults: preview.faults.map((fault) => fault.replace(`backends.${index}.`, '')) }
  }

  /** A dry run. New backends are probed only if the list has no fault. */
  async dryRun(
    balancer: Balancer,
    wanted: Wanted,
    preview: Preview,
    condition: Condition,
  ): ReturnType<Views['preview']> {
    const faults = preview.faults.length > 0 ? preview.faults : await refusalsOf(balancer, wanted, condition)
    return this.views.preview({ ...preview, faults: toldFaults(faults).map(withoutSecrets) })
  }

  /** Waits for a list change. After a long one, other requests run before the response is built. */
  async made(change: Promise<BackendSet>): Promise<BackendSet> {
    const now = await change
    if (now.all.length > longList) await setImmediate()
    return now
  }

  /** Records a change in the audit log, and saves what must survive a restart. */
  record(request: FastifyRequest, balancer: Balancer, done: BalancerChange): void {
    this.audit.record(request, balancer, done)
    if (lasting.has(done.what)) this.save(request, balancer)
  }

  /** Replaces configured lists by saved ones, for all balancers registered so far. @throws as `Keeper` does */
  async restore(): Promise<void> {
    const { persist } = this.options
    if (persist === undefined) return
    this.#keeping ??= await Keeping.open(persist, this.balancers, this.#app.log, this.instances)
    try {
      await this.#keeping.restore((balancer, wanted) => this.preview(balancer, wanted))
    } catch (error) {
      // The app fails to start, so it may never be closed.
      await this.close()
      throw error
    }
  }

  /** Starts saving a list; `saved` waits for it. */
  save(request: FastifyRequest, balancer: Balancer): void {
    const saving = this.#keeping?.save(balancer)
    if (saving === undefined) return
    saving.catch(() => {})
    this.#saving.set(request, saving)
  }

  /** Waits until what a request has changed is on disk. Throws at most once. @throws UnsavedError */
  async saved(request: FastifyRequest): Promise<void> {
    const saving = this.#saving.get(request)
    this.#saving.delete(request)
    await saving
  }

  /** After a reload of the configuration: saved lists give way to the newer configured ones. @throws UnsavedError */
  async followReload(): Promise<void> {
    await this.#keeping?.followConfigured()
  }

  /** Called when all balancers are registered. */
  async settle(): Promise<void> {
    for (const name of this.balancers.keys()) {
      const obstacle = this.#admission.obstacle(name)
      if (obstacle !== undefined) this.#app.log.warn({ balancer: name }, `balancer '${name}': its name ${obstacle}`)
    }
    if (this.instances.fleet !== undefined)
      await Promise.all([...this.balancers.values()].map((balancer) => this.holds.join(balancer)))
    await this.#keeping?.settle()
  }

  /** The app is closing: saves what is still unsaved. */
  async close(): Promise<void> {
    await this.#keeping?.close()
  }
}
