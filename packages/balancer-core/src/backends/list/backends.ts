// Room `backends/list`: how the list of backends changes: proposed, judged, agreed on with other instances, put in force.
import { inSlices } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { BackendOptions, MakeList, ParsedBackend } from '../backend-options.ts'
import type { Backend } from '../backend.ts'
import type { BackendSet } from '../backend-set.ts'
import type { Clock } from '../../clock.ts'
import { Drains, type DrainOptions, type Order } from '../drains.ts'
import { StaleRevisionError } from '../../errors.ts'
import { agreeOn, type AgreedList, type ListAgreement } from './list-agreement.ts'
import { listChange, replacing, type PreparedList } from './list-change.ts'
import { ListInForce, type ListOptions } from './list-in-force.ts'
import { ListTurns } from './list-turns.ts'
import { preview, previewInSlices, type Preview } from './preview.ts'
import { objectionsTo, refusalOf, type ChangeOptions, type Judge, type Proposal } from './proposal.ts'
import type { Veto, VetoOptions } from '../veto.ts'

/** Callbacks: asked about new backends, and told of changes of the list. */
interface ChangeHooks {
  readonly judge: Judge
  tellChange(now: BackendSet, before: BackendSet): void
  tellOrder(backend: Backend): void
}

/**
 * The backends of one balancer. It owns the snapshot: every change builds a new set, and one reference is swapped.
 * Changes run one after the other; none is applied in part.
 */
export class Backends {
  readonly #list: ListInForce
  readonly #turns = new ListTurns()
  /** Backends that have left the list are retiring. */
  #leaving: Promise<unknown> = Promise.resolve()
  readonly #drains: Drains
  readonly #hooks: ChangeHooks
  #agreement: ListAgreement | undefined

  constructor(
    options: ListOptions,
    clock: Clock,
    hooks: ChangeHooks,
    onSwap: (now: BackendSet, before: BackendSet, cause: unknown) => void,
  ) {
    this.#hooks = hooks
    const list = new ListInForce(options, clock, (...asked) => hooks.judge(...asked), onSwap)
    this.#list = list
    this.#drains = new Drains(clock, {
      deadline: () => list.options.drainDeadline,
      openPool: (backend) => list.openPool(backend),
      veto: (backend, veto) => list.veto(backend, veto),
      refresh: () => list.refresh(),
    })
  }

  /** The snapshot. Read it once for each decision. */
  get set(): BackendSet {
    return this.#list.set
  }

  /** See `Balancer.listed`. */
  get listed(): readonly ParsedBackend[] {
    return this.#list.listed
  }

  /** Makes the set what the vetoes say by now. However many there are at one moment, they cost one set. */
  settle(): void {
    this.#list.settle()
  }

  /** @throws UnknownBackendError */
  get(id: string): Backend {
    return this.#list.get(id)
  }

  has(backend: Backend): boolean {
    return this.#list.has(backend)
  }

  /** Lays a veto; it holds until it is lifted, by its handle or by its `ttl`. */
  veto(backend: Backend, options: VetoOptions): Veto {
    return this.#list.veto(backend, options)
  }

  /** What a list would change, without changing anything. */
  preview(wanted: readonly (string | BackendOptions)[]): Preview {
    return preview(this.set.all, wanted, this.#list.options.pool, this.listed)
  }

  /** See `Balancer.previewInSlices`. */
  previewInSlices(wanted: readonly (string | BackendOptions)[]): Promise<Preview> {
    return previewInSlices(this.set.all, wanted, this.#list.options.pool, this.listed)
  }

  /** Begins to watch the TLS files of backends; what becomes of them is logged in the name of the balancer. */
  watchTls(name: string, log: FastifyBaseLogger | undefined): void {
    this.#list.watchTls(name, log)
  }

  /** See `Balancer.agreeBy`. */
  agreeBy(agreement: ListAgreement): Promise<void> {
    return this.#turns.run(async () => {
      const agreed = await agreement.join({ listed: this.listed, base: this.set.revision })
      this.#agreement = agreement
      if (agreed !== undefined) await this.#adopt(agreed)
    })
  }

  /** See `Balancer.adopt`. */
  adopt(list: AgreedList): Promise<void> {
    return this.#turns.run(async () => {
      if (list.revision > this.set.revision) await this.#adopt(list)
    })
  }

  /** Replaces the list by what `make` builds from the current one, which may be called again. */
  async change(make: MakeList, options: ChangeOptions = {}, drain?: DrainOptions): Promise<BackendSet> {
    const now = await this.#turns.run(() => this.#apply(make, options, drain))
    // Others may change the list meanwhile.
    if (options.dryRun !== true) await this.#agreement?.settled(now.revision)
    return now
  }

  /** Replaces or removes one backend; it is looked up when the change has its turn. */
  changeOne(
    id: string,
    make: (one: ParsedBackend) => BackendOptions | undefined,
    options?: ChangeOptions,
    drain?: DrainOptions,
  ): Promise<BackendSet> {
    return this.change(replacing(id, make), options, drain)
  }

  /** Waits for a turn to change the list, which lasts until the answer is called. */
  takeTurn(): Promise<() => void> {
    return this.#turns.take()
  }

  /** Checks a list together with the options that it stands in, by one who has the turn. @throws BadOptionsError */
  async prepare(wanted: unknown, options: ListOptions, force: boolean): Promise<PreparedList> {
    const list = this.#list
    const { backends: configured, pool: before } = list.options
    const { pool } = options
    const proposal = await list.proposals.make(wanted, new Set(), list.byId, { pool, limits: list.limits })
    const { listed } = proposal
    const { all } = this.set
    return {
      listed,
      change: await listChange(all, listed, pool, configured, before),
      faults: objectionsTo(proposal, all, force),
      adopt: () => this.#adoptPrepared(proposal, { ...options, backends: listed }),
      dismiss: () => this.#dismiss(proposal),
    }
  }

  /** See `Balancer.drain`. */
  async drain(id: string, options: DrainOptions = {}): Promise<boolean> {
    return this.#order(id, (backend) => this.#drains.drain(backend, options))
  }

  /** See `Balancer.maintain`. */
  async maintain(id: string, order: Order = {}): Promise<void> {
    await this.#order(id, (backend) => this.#drains.maintain(backend, order))
  }

  /** See `Balancer.ready`. */
  ready(id: string): void {
    this.#order(id, (backend) => this.#drains.ready(backend))
  }

  /** Closes every pool at once. */
  async close(): Promise<void> {
    this.#list.stop()
    await Promise.all([this.#drains.close(), ...this.set.all.map((backend) => backend.cut())])
    await this.#leaving
    await this.#drains.close()
  }

  #order<Done>(id: string, work: (backend: Backend) => Done): Done {
    const backend = this.get(id)
    const done = work(backend)
    this.#hooks.tellOrder(backend)
    return done
  }

  /** `earlier`: what it proposed before, while another instance was faster. */
  async #apply(make: MakeList, options: ChangeOptions, drain?: DrainOptions, earlier?: Proposal): Promise<BackendSet> {
    const { revision, resumes = 0, force = false, dryRun = false, cause } = options
    const list = this.#list
    let pending = earlier
    try {
      const current = list.set.revision
      if (revision !== undefined && revision !== current) throw new StaleRevisionError(current, revision)
      const proposal = await list.propose(make(list.listed), resumes > 0 ? 'resumed' : 'proposed', earlier)
      pending = proposal
      // Vetoes may have changed meanwhile.
      const before = list.set
      const refusal = refusalOf(proposal, before.all, force)
      if (refusal !== undefined) throw refusal
      if (dryRun) return before
      const terms = { listed: proposal.listed, base: current, above: resumes, deadline: drain?.deadline }
      const agreed = await agreeOn(this.#agreement, terms)
      if (agreed.newer !== undefined) await this.#adopt(agreed.newer, proposal.newcomers)
      pending = undefined
      if (agreed.newer !== undefined) return this.#apply(make, options, drain, proposal)
      return this.#tell(list.set, list.put(proposal, agreed.revision, cause), drain)
    } finally {
      if (pending !== undefined) this.#dismiss(pending)
    }
  }

  /** Puts a list of other instances in force, in place of the one here. `waiting`: see `ListInForce.put`. */
  async #adopt({ revision, backends, deadline }: AgreedList, waiting: readonly Backend[] = []): Promise<void> {
    const list = this.#list
    const proposal = await list.propose(backends, 'agreed')
    const before = list.set
    const now = list.put(proposal, revision, this.#agreement?.cause, waiting)
    this.#tell(before, now, deadline === undefined ? undefined : { deadline })
  }

  /** The caller has the turn until the answer is settled. */
  #adoptPrepared(proposal: Proposal, options: ListOptions): Promise<void> | undefined {
    const before = this.set
    const isOther = this.#list.putWith(proposal, options)
    const isAlone = this.#agreement === undefined
    this.#tell(before, isOther && isAlone ? this.#list.renumber(before.revision + 1) : this.set)
    return this.#agreement && this.#agreeLater(before, this.#agreement)
  }

  /** A list of the options, which is in force here already, gets its revision. */
  async #agreeLater(before: BackendSet, agreement: ListAgreement): Promise<void> {
    const list = this.#list
    const proposal = { listed: list.listed, base: before.revision, above: 0, isConfigured: true }
    const { newer, revision } = await agreeOn(agreement, proposal)
    if (newer !== undefined) await this.#adopt(newer)
    else if (revision !== before.revision) this.#hooks.tellChange(list.renumber(revision), before)
  }

  #dismiss(proposal: Proposal): void {
    this.#leaving = this.#list.dismiss(proposal)
  }

  /** Tells of a list that was put in force, and lets those go that are not in it. */
  #tell(before: BackendSet, now: BackendSet, drain?: DrainOptions): BackendSet {
    const gone = before.all.filter((backend) => !this.has(backend))
    this.#leaving = inSlices(gone, (backend) => void this.#drains.retire(backend, drain))
    if (now.revision !== before.revision) this.#hooks.tellChange(now, before)
    return now
  }
}
