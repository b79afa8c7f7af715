import { inSlices } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { RequestPool } from '../../connections/request-pool.ts'
import type { BackendTls } from '../../connections/tls/backend-tls.ts'
import { TlsWatch } from '../../connections/tls/tls-watch.ts'
import { UnknownBackendError } from '../../errors.ts'
import { HostNames } from '../../names/host-names.ts'
import { settingsOf, type ParsedBackend } from '../backend-options.ts'
import type { Backend } from '../backend.ts'
import { backendSet, type BackendSet } from '../backend-set.ts'
import { isSamePool, openPool } from '../pool.ts'
import { poolLimits, poolOptionsOf, type PoolLimits, type PoolOptions, type TimeoutOptions } from '../pool-options.ts'
import { isSame } from './preview.ts'
import { Proposals, type Judge, type Proposal, type ProposalOrigin } from './proposal.ts'
import type { Veto, VetoOptions } from '../veto.ts'
import { Vetoes } from '../vetoes.ts'

/** The options of a balancer that its backends need. */
export interface ListOptions {
  readonly backends: readonly ParsedBackend[]
  readonly pool: PoolOptions
  readonly timeouts: TimeoutOptions
  readonly panicThreshold: number | false
  readonly drainDeadline: number
  readonly random?: () => number
}

/** The list that is used, with its options, and the snapshot of it: each change of either swaps one reference. */
export class ListInForce {
  listed: readonly ParsedBackend[]
  byId: ReadonlyMap<string, Backend>
  options: ListOptions
  readonly proposals: Proposals
  /** Of all pools that are open. */
  readonly limits: PoolLimits
  #set: BackendSet
  /** Vetoes have changed since the set was built. */
  #stale = false
  readonly #vetoes: Vetoes
  readonly #names: HostNames
  readonly #clock: Clock
  #tlsWatch: TlsWatch | undefined
  readonly #onSwap: (now: BackendSet, before: BackendSet, cause: unknown) => void

  constructor(
    options: ListOptions,
    clock: Clock,
    judge: Judge,
    onSwap: (now: BackendSet, before: BackendSet, cause: unknown) => void,
  ) {
    this.options = options
    this.limits = poolLimits(options.pool, options.timeouts, options.random)
    this.#onSwap = onSwap
    this.#clock = clock
    this.#vetoes = new Vetoes(clock, () => this.refresh())
    this.#names = new HostNames(clock, options.random ?? Math.random)
    this.proposals = new Proposals(this.#names, judge)
    this.listed = options.backends
    const opening = { pool: options.pool, limits: this.limits }
    const all = this.listed.map((listed) => this.proposals.open(listed, opening))
    this.#set = backendSet(all, 1, options.panicThreshold)
    this.byId = new Map(this.#set.all.map((backend) => [backend.id, backend]))
    this.#names.keepOnly(this.#set.all)
  }

  /** The snapshot. Read it once for each decision. */
  get set(): BackendSet {
    this.settle()
    return this.#set
  }

  /** @throws UnknownBackendError */
  get(id: string): Backend {
    const backend = this.byId.get(id)
    if (backend === undefined) throw new UnknownBackendError(id)
    return backend
  }

  has(backend: Backend): boolean {
    return this.byId.get(backend.id) === backend
  }

  /** Rebuilds the set if vetoes have changed. Many changes at one moment cost one rebuild. */
  settle(): void {
    if (!this.#stale) return
    const { all, revision } = this.#set
    this.#swap(backendSet(all, revision, this.options.panicThreshold))
  }

  /** The next reader gets a new set; if there is none, it is built at the end of this turn, for requests that wait. */
  refresh(): void {
    if (this.#stale) return
    this.#stale = true
    queueMicrotask(() => this.settle())
  }

  /** Places a veto; it holds until it is lifted by its handle or its `ttl`. */
  veto(backend: Backend, options: VetoOptions): Veto {
    const veto = this.#vetoes.lay(backend, options)
    this.refresh()
    return veto
  }

  /** Works out what a list would be, with the options of now: see `Proposals.make`. @throws BadOptionsError */
  propose(wanted: unknown, origin: ProposalOrigin, earlier?: Proposal): Promise<Proposal> {
    const opening = { pool: this.options.pool, limits: this.limits }
    return this.proposals.make(wanted, new Set(this.listed), this.byId, opening, origin, earlier)
  }

  /**
   * Puts a list in force; answers the set that it is. `cause`: see `ChangeOptions`; `waiting`: backends that are to be proposed
   * again.
   */
  put(proposal: Proposal, revision: number, cause?: unknown, waiting: readonly Backend[] = []): BackendSet {
    const { listed, all, tls, byId, verdicts } = proposal
    for (const verdict of verdicts) if ('veto' in verdict) this.#vetoes.lay(verdict.backend, verdict.veto)
    for (const [index, backend] of all.entries()) {
      backend.configure(settingsOf(listed[index]!, this.options.pool))
      this.#fitPool(backend, poolOptionsOf(listed[index]!, this.options.pool), tls[index]!)
    }
    this.listed = listed
    this.byId = byId
    const now = this.#swap(backendSet(all, revision, this.options.panicThreshold), cause)
    this.#names.keepOnly([...all, ...waiting])
    this.#tlsWatch?.keepOnly(all)
    return now
  }

  /** Puts a list and its options in force, with the revision of now. Is it another one than before in any way? */
  putWith(proposal: Proposal, options: ListOptions): boolean {
    const { revision } = this.set
    this.options = options
    Object.assign(this.limits, poolLimits(options.pool, options.timeouts, options.random))
    const isOther = !this.#isInForce(proposal)
    this.put(proposal, revision)
    return isOther
  }

  /** The list of now gets this revision. */
  renumber(revision: number): BackendSet {
    return this.#swap(backendSet(this.#set.all, revision, this.options.panicThreshold))
  }

  /** Closes backends that have never been in the list. */
  dismiss({ newcomers }: Proposal): Promise<void> {
    this.#names.keepOnly(this.#set.all)
    return inSlices(newcomers, (newcomer) => void newcomer.cut())
  }

  /** Their TLS files are read again when they change. */
  watchTls(name: string, log: FastifyBaseLogger | undefined): void {
    this.#tlsWatch = new TlsWatch(this.#clock, name, log, (tls) => {
      for (const backend of this.#set.all) if (backend.tls === tls) this.#renewPool(backend)
    })
    this.#tlsWatch.keepOnly(this.#set.all)
  }

  openPool(backend: Backend): RequestPool {
    return openPool(backend, backend.poolOptions, this.limits)
  }

  /** Nothing changes by itself any more. */
  stop(): void {
    this.#vetoes.stop()
    this.#tlsWatch?.stop()
    this.#names.close()
  }

  #isInForce({ listed, all, tls }: Proposal): boolean {
    const current = this.#set.all
    if (all.length !== current.length) return false
    return all.every((backend, index) => {
      const one = listed[index]!
      if (backend.tls !== tls[index]) return false
      return backend === current[index] && isSame(backend, { ...one, ...settingsOf(one, this.options.pool) })
    })
  }

  /** With other options or other TLS it gets another pool. */
  #fitPool(backend: Backend, options: PoolOptions, tls: BackendTls): void {
    const { poolOptions, tls: before } = backend
    backend.poolOptions = options
    backend.tls = tls
    if (before !== tls || (poolOptions !== options && !isSamePool(poolOptions, options))) this.#renewPool(backend)
  }

  /** What is under way ends where it began. */
  #renewPool(backend: Backend): void {
    const { pool } = backend
    backend.pool = this.openPool(backend)
    backend.closeAfterUse(pool)
  }

  #swap(now: BackendSet, cause?: unknown): BackendSet {
    const before = this.#set
    this.#stale = false
    this.#set = now
    this.#onSwap(now, before, cause)
    return now
  }
}
