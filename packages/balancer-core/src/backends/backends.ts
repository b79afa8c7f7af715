// Room `backends`: the list of backends, each with its state and connections, and how the list changes.
import { BackendList, itemsOf, settingsOf, type BackendOptions, type ParsedBackend } from './backend-options.ts'
import { Backend } from './backend.ts'
import { backendSet, type BackendSet } from './backend-set.ts'
import { inSlices, withoutSecrets } from '@fastify-balancer/option-schema'
import type { Clock } from '../clock.ts'
import { Drains, type DrainOptions } from './drains.ts'
import { BadOptionsError, StaleRevisionError, UnknownBackendError } from '../errors.ts'
import { HostNames } from '../names/host-names.ts'
import { openPool } from './pool.ts'
import type { PoolOptions, TimeoutOptions } from './pool-options.ts'
import { preview, previewInSlices, type Preview } from './preview.ts'
import { refusalOf, type ChangeOptions, type Proposal, type Verdict } from './proposal.ts'
import type { Veto, VetoOptions } from './veto.ts'
import { Vetoes } from './vetoes.ts'

/** The options of a balancer that its backends need. */
interface Settings {
  readonly backends: readonly ParsedBackend[]
  readonly pool: PoolOptions
  readonly timeouts: TimeoutOptions
  readonly panicThreshold: number | false
  readonly drainDeadline: number
  readonly random?: () => number
}

/** Callbacks: asked about new backends, and told of changes of the list. */
interface ChangeHooks {
  judge(newcomers: readonly Backend[]): Promise<readonly Verdict[]>
  tellChange(now: BackendSet, before: BackendSet): void
}

function byId(backends: readonly Backend[]): ReadonlyMap<string, Backend> {
  return new Map(backends.map((backend) => [backend.id, backend]))
}

/**
 * The backends of one balancer. It owns the snapshot: every change builds a new set, and one reference is swapped.
 * Changes run one after the other; none is applied in part.
 */
export class Backends {
  #set: BackendSet
  /** Vetoes have changed since the set was built. */
  #stale = false
  #listed: readonly ParsedBackend[]
  #byId: ReadonlyMap<string, Backend>
  #turn: Promise<unknown> = Promise.resolve()
  /** Backends that have left the list are retiring. */
  #leaving: Promise<unknown> = Promise.resolve()
  readonly #vetoes: Vetoes
  readonly #drains: Drains
  readonly #names: HostNames
  readonly #options: Settings
  readonly #hooks: ChangeHooks
  readonly #onSwap: (now: BackendSet, before: BackendSet) => void

  constructor(
    options: Settings,
    clock: Clock,
    hooks: ChangeHooks,
    onSwap: (now: BackendSet, before: BackendSet) => void,
  ) {
    this.#options = options
    this.#hooks = hooks
    this.#onSwap = onSwap
    this.#vetoes = new Vetoes(clock, () => this.#refresh())
    this.#names = new HostNames(clock, options.random ?? Math.random)
    this.#drains = new Drains(clock, {
      deadline: options.drainDeadline,
      openPool: ({ url, host }) => openPool(url, options.pool, options.timeouts, host),
      veto: (backend, veto) => this.veto(backend, veto),
      refresh: () => this.#refresh(),
    })
    this.#listed = options.backends
    this.#set = backendSet(
      this.#listed.map((listed) => this.#open(listed)),
      1,
      options.panicThreshold,
    )
    this.#byId = byId(this.#set.all)
    this.#names.keepOnly(this.#set.all)
  }

  /** The snapshot. Read it once for each decision. */
  get set(): BackendSet {
    this.settle()
    return this.#set
  }

  /** Rebuilds the set if vetoes have changed. Many changes at one moment cost one rebuild. */
  settle(): void {
    if (!this.#stale) return
    const { all, revision } = this.#set
    this.#swap(backendSet(all, revision, this.#options.panicThreshold))
  }

  /** @throws UnknownBackendError */
  get(id: string): Backend {
    const backend = this.#byId.get(id)
    if (backend === undefined) throw new UnknownBackendError(id)
    return backend
  }

  /** Places a veto; it holds until it is lifted by its handle or its `ttl`. */
  veto(backend: Backend, options: VetoOptions): Veto {
    const veto = this.#vetoes.lay(backend, options)
    this.#refresh()
    return veto
  }

  /** What a list would change, without changing anything. */
  preview(wanted: readonly (string | BackendOptions)[]): Preview {
    return preview(this.set.all, wanted, this.#options.pool)
  }

  /** See `Balancer.previewInSlices`. */
  previewInSlices(wanted: readonly (string | BackendOptions)[]): Promise<Preview> {
    return previewInSlices(this.set.all, wanted, this.#options.pool)
  }

  /** Replaces the list by what `make` builds from the current one. */
  change(
    make: (listed: readonly ParsedBackend[]) => readonly (string | BackendOptions)[],
    options: ChangeOptions = {},
    drain?: DrainOptions,
  ): Promise<BackendSet> {
    const turn = this.#turn.then(() => this.#apply(make(this.#listed), options, drain))
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Replaces or removes one backend; it is looked up when the change has its turn. */
  changeOne(
    id: string,
    make: (one: ParsedBackend) => BackendOptions | undefined,
    options?: ChangeOptions,
    drain?: DrainOptions,
  ): Promise<BackendSet> {
    function replaced(listed: readonly ParsedBackend[]): readonly BackendOptions[] {
      if (!listed.some((one) => one.id === id)) throw new UnknownBackendError(id)
      return listed.flatMap((one) => (one.id === id ? (make(one) ?? []) : one))
    }
    return this.change(replaced, options, drain)
  }

  /** See `Balancer.drain`. */
  async drain(id: string, options: DrainOptions = {}): Promise<boolean> {
    return this.#drains.drain(this.get(id), options)
  }

  /** See `Balancer.maintain`. */
  async maintain(id: string): Promise<void> {
    await this.#drains.maintain(this.get(id))
  }

  /** See `Balancer.ready`. */
  ready(id: string): void {
    this.#drains.ready(this.get(id))
  }

  /** Closes every pool at once. */
  async close(): Promise<void> {
    this.#vetoes.stop()
    this.#names.close()
    await Promise.all([this.#drains.close(), ...this.#set.all.map((backend) => backend.cut())])
    await this.#leaving
    await this.#drains.close()
  }

  async #apply(
    wanted: readonly (string | BackendOptions)[],
    { revision, resumes = 0, force = false, dryRun = false }: ChangeOptions,
    drain: DrainOptions | undefined,
  ): Promise<BackendSet> {
    const current = this.#set
    if (revision !== undefined && revision !== current.revision)
      throw new StaleRevisionError(current.revision, revision)
    const proposal = await this.#propose(wanted, resumes > 0)
    const { listed, all, newcomers, verdicts } = proposal
    // Vetoes may have changed meanwhile.
    const before = this.set
    const refusal = refusalOf(proposal, before.all, force)
    if (refusal !== undefined || dryRun) {
      this.#leaving = inSlices(newcomers, (newcomer) => void newcomer.cut())
      this.#names.keepOnly(before.all)
      if (refusal !== undefined) throw refusal
      return before
    }
    for (const verdict of verdicts) if ('veto' in verdict) this.#vetoes.lay(verdict.backend, verdict.veto)
    for (const [index, backend] of all.entries()) backend.configure(settingsOf(listed[index]!, this.#options.pool))
    this.#listed = listed
    this.#byId = byId(all)
    const now = this.#swap(backendSet(all, Math.max(before.revision, resumes) + 1, this.#options.panicThreshold))
    this.#names.keepOnly(all)
    const kept = new Set(all)
    const gone = before.all.filter((backend) => !kept.has(backend))
    this.#leaving = inSlices(gone, (backend) => void this.#drains.retire(backend, drain))
    this.#hooks.tellChange(now, before)
    return now
  }

  /** Builds the set for a list, and lets hooks check new backends. @throws BadOptionsError */
  async #propose(wanted: readonly (string | BackendOptions)[], isResumed: boolean): Promise<Proposal> {
    const faults: string[] = []
    const list = new BackendList(this.#options.pool, faults, new Set(this.#listed))
    await inSlices(itemsOf(wanted, faults), (item, index) => void list.read(item, index))
    if (faults.length > 0) throw new BadOptionsError(faults.map(withoutSecrets).join('; '))
    const listed = list.parsed
    const all: Backend[] = []
    const newcomers: Backend[] = []
    await inSlices(listed, (one) => {
      const kept = this.#byId.get(one.id)
      const backend = kept?.url === one.url ? kept : this.#open(one)
      if (backend !== kept) newcomers.push(backend)
      all.push(backend)
    })
    const verdicts = newcomers.length > 0 && !isResumed ? await this.#hooks.judge(newcomers) : []
    return { listed, all, newcomers, verdicts }
  }

  #open(listed: ParsedBackend): Backend {
    const { pool, timeouts } = this.#options
    const whereabouts = this.#names.whereaboutsOf(listed.url, pool.tls)
    const opened = openPool(listed.url, pool, timeouts, whereabouts.host)
    return new Backend(listed.id, listed.url, settingsOf(listed, pool), opened, whereabouts)
  }

  /** The next reader gets a new set; if there is none, it is built at the end of this turn, for requests that wait. */
  #refresh(): void {
    if (this.#stale) return
    this.#stale = true
    queueMicrotask(() => this.settle())
  }

  #swap(now: BackendSet): BackendSet {
    const before = this.#set
    this.#stale = false
    this.#set = now
    this.#onSwap(now, before)
    return now
  }
}
