import type { FastifyBaseLogger } from 'fastify'
import { Attempt, type AttemptOwner } from './attempt/attempt.ts'
import type { Backend } from './backends/backend.ts'
import type { BackendSet } from './backends/backend-set.ts'
import { Backends } from './backends/backends.ts'
import type { ChangeOptions } from './backends/proposal.ts'
import { channels } from './channels.ts'
import { systemClock, type Clock } from './clock.ts'
import { enterProcess, leaveProcess } from './exchange-ceiling.ts'
import type { DrainOptions } from './backends/drains.ts'
import type { Explanation } from './picking/explain.ts'
import { failures } from './failure.ts'
import { Hooks, type BalancerHooks } from './hooks.ts'
import { AttemptCounts } from './attempt-counts.ts'
import { parseOptions, type BalancerOptions, type ParsedOptions } from './options.ts'
import type { BackendOptions } from './backends/backend-options.ts'
import { Picking } from './picking/picking.ts'
import type { PickRequest, Policy } from './picking/policy.ts'
import type { Preview } from './backends/preview.ts'
import { Handover, type WaitingSeeker } from './picking/handover.ts'
import { WaitingQueue } from './picking/queue.ts'
import { RetryBudget } from './attempt/retry-budget.ts'
import { SlowStart } from './backends/slow-start.ts'
import type { Veto, VetoOptions } from './backends/veto.ts'

/** An exchange, as far as it can wait for a backend. */
export type WaitingExchange = AttemptOwner & WaitingSeeker<Attempt>

/** One named balancer: its backends, its policy, and everything that its requests share. */
export class Balancer {
  readonly name: string
  readonly options: ParsedOptions
  readonly policy: Policy
  readonly clock: Clock
  /** Source of random numbers: 0 ≤ x < 1. */
  readonly random: () => number
  /** The table of failures and whose fault they are: for extensions, which import only types. */
  readonly failures = failures
  readonly hooks: Hooks
  readonly queue: WaitingQueue<WaitingExchange>
  readonly budget: RetryBudget
  readonly counts: AttemptCounts
  /** Objects of other plugins, by plugin name: this is how they find each other in any scope. */
  readonly extensions = new Map<string, unknown>()
  /** Requests in progress. */
  exchanges = 0
  readonly #backends: Backends
  readonly #slowStart: SlowStart
  readonly #picking: Picking<Attempt, AttemptOwner>
  readonly #handover: Handover<Attempt, WaitingExchange>
  readonly #log: FastifyBaseLogger | undefined
  #whenEmpty: (() => void) | undefined
  #closed: Promise<void> | undefined

  /** @throws BadOptionsError naming every fault */
  constructor(options: BalancerOptions = {}, log?: FastifyBaseLogger) {
    const parsed = parseOptions(options)
    const { clock = systemClock, random = Math.random } = parsed
    this.name = parsed.name
    this.options = parsed
    this.clock = clock
    this.random = random
    this.policy = parsed.policy(random)
    this.hooks = new Hooks((error, hook) =>
      log?.error({ err: error, balancer: parsed.name, hook }, 'a hook of the balancer threw an error'),
    )
    this.queue = new WaitingQueue(parsed.queue.max)
    this.budget = new RetryBudget(parsed.retry.budget)
    this.counts = new AttemptCounts(this.hooks, clock, parsed.timeouts, (freed) => this.#handover.freed(freed))
    this.#log = log
    this.#slowStart = new SlowStart(clock, parsed.slowStart, () => this.#picking.over(this.set))
    this.#backends = new Backends(parsed, clock, this.hooks, (now, before) => this.#onSwap(now, before))
    const lastResort = parsed.panicThreshold !== false && parsed.timeouts.connect
    this.#picking = new Picking(this.policy, this.set, { lastResort }, (backend, exchange: AttemptOwner, isLast) => {
      const attempt = new Attempt(exchange, backend, exchange.attempts.length + 1, isLast)
      return this.hooks.onPick.length === 0 || this.hooks.admits(attempt) ? attempt : undefined
    })
    this.#handover = new Handover(this.queue, this.#picking, () => this.#backends.settle())
  }

  /** The current snapshot. */
  get set(): BackendSet {
    return this.#backends.set
  }

  /** Live views of all backends, in the order given. */
  get backends(): readonly Backend[] {
    return this.set.all
  }

  /** @throws UnknownBackendError */
  backend(id: string): Backend {
    return this.#backends.get(id)
  }

  /** Adds a hook: see `BalancerHooks`. */
  addHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.add(name, hook)
    return this
  }

  /** Takes a backend out of rotation, with a reason; the returned handle lifts the veto. */
  veto(backend: Backend, options: VetoOptions): Veto {
    return this.#backends.veto(backend, options)
  }

  /**
   * Replaces the whole list, or nothing. A backend with the same id and address keeps its counters and connections; a
   * removed one gets no new requests and may finish those it has until `drainDeadline`.
   * @throws BadOptionsError naming every fault; StaleRevisionError; RefusedBackendsError; NobodyUsableError
   */
  setBackends(list: readonly (string | BackendOptions)[], options?: ChangeOptions): Promise<BackendSet> {
    return this.#backends.change(() => list, options)
  }

  /** What `setBackends` would change with this list, and why it would be refused. Changes nothing. */
  preview(list: readonly (string | BackendOptions)[]): Preview {
    return this.#backends.preview(list)
  }

  /** The same for a long list, in slices, so that requests are not held up. */
  previewInSlices(list: readonly (string | BackendOptions)[]): Promise<Preview> {
    return this.#backends.previewInSlices(list)
  }

  /** Adds one at the end. @throws BadOptionsError; StaleRevisionError */
  add(backend: string | BackendOptions, options?: ChangeOptions): Promise<BackendSet> {
    return this.#backends.change((listed) => [...listed, backend], options)
  }

  /** Changes weight, priority, maxInFlight, zone or tags. @throws UnknownBackendError; BadOptionsError; StaleRevisionError */
  update(id: string, patch: Partial<Omit<BackendOptions, 'id' | 'url'>>, options?: ChangeOptions): Promise<BackendSet> {
    return this.#backends.changeOne(id, (one) => ({ ...one, ...patch }), options)
  }

  /** Removes one; it may finish its requests until the deadline. @throws as `setBackends`; UnknownBackendError */
  remove(id: string, options: ChangeOptions & DrainOptions = {}): Promise<BackendSet> {
    return this.#backends.changeOne(id, () => undefined, options, options)
  }

  /**
   * Drains a backend: it gets no new requests. Resolves to true once it is idle, to false if the deadline came first
   * and the rest was aborted, or if the drain was cancelled. Until the deadline, a policy that binds clients may still
   * send it those that are bound to it. It stays in the list; `ready` puts it back in rotation. A repeated order keeps
   * the deadline, unless it has one of its own.
   * @throws UnknownBackendError
   */
  drain(id: string, options?: DrainOptions): Promise<boolean> {
    return this.#backends.drain(id, options)
  }

  /**
   * Maintenance: no new requests, and those in progress are aborted. It stays in the list; `ready` puts it back in
   * rotation.
   * @throws UnknownBackendError
   */
  maintain(id: string): Promise<void> {
    return this.#backends.maintain(id)
  }

  /** Ends a drain or maintenance. @throws UnknownBackendError */
  ready(id: string): void {
    this.#backends.ready(id)
  }

  /** Restarts a backend's slow start, e.g. after a successful trial. */
  warmUp(backend: Backend): void {
    this.#slowStart.restart(backend)
  }

  /**
   * Tells for every backend why it would or would not be used, and which one would be picked. Sends nothing, changes
   * nothing.
   */
  explain(request: Partial<PickRequest> = {}): Explanation {
    this.#backends.settle()
    return this.#picking.explain({ method: 'GET', url: '/', headers: {}, ...request })
  }

  /**
   * Picks a backend that is below `maxInFlight`, was not tried yet and is not refused by a hook. `saturated`: one may
   * become free; `none`: waiting would not help.
   */
  pick(exchange: AttemptOwner): Attempt | 'saturated' | 'none' {
    this.#backends.settle()
    if (this.#handover.mustQueue(exchange)) return 'saturated'
    return this.#picking.pick(exchange)
  }

  /** An attempt at this backend, unless it is full or a hook refuses. */
  attemptAt(backend: Backend, exchange: AttemptOwner): Attempt | 'saturated' | 'none' {
    return this.#picking.at(backend, exchange)
  }

  /** An exchange has begun; false if there are too many in this process. */
  enter(): boolean {
    this.exchanges++
    return enterProcess(this.options.maxExchanges)
  }

  /** An exchange has ended. */
  leave(): void {
    leaveProcess()
    if (--this.exchanges === 0) this.#whenEmpty?.()
  }

  /** True once it is closing: no new requests, those in progress may finish. */
  get closing(): boolean {
    return this.#closed !== undefined
  }

  /** Waits until every exchange has ended, at most `drainDeadline`; then closes all connections. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  /** A live view of its state. */
  toJSON() {
    const { name, policy, set, exchanges, queue, backends } = this
    const { revision, panicking } = set
    return { name, policy: policy.name, revision, panicking, exchanges, waiting: queue.length, backends }
  }

  async #close(): Promise<void> {
    const { drainDeadline } = this.options
    if (this.exchanges > 0) {
      await new Promise<void>((resolve) => {
        const timer = drainDeadline > 0 ? this.clock.setTimeout(resolve, drainDeadline) : undefined
        this.#whenEmpty = () => {
          this.clock.clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#slowStart.stop()
    await this.#backends.close()
    this.counts.close()
  }

  #onSwap(now: BackendSet, before: BackendSet): void {
    this.#slowStart.observe(now, before)
    this.#picking.over(now)
    if (now.panicking !== before.panicking) this.#tellPanic(now)
    if (channels.backendsChange.hasSubscribers) channels.backendsChange.publish({ balancer: this, now, before })
    this.#handover.changed()
  }

  #tellPanic({ panicking, all, available }: BackendSet): void {
    const healthy = all.filter(({ vetoes }) => vetoes.length === 0).length
    const figures = { balancer: this.name, backends: all.length, healthy, available: available.length }
    const share = `${healthy} of ${all.length} backends healthy`
    const tried = available.length === all.length ? 'all get traffic' : `${available.length} get traffic`
    if (panicking) this.#log?.warn(figures, `panic mode: ${share}; health is ignored, ${tried}`)
    else this.#log?.info(figures, `panic mode ended: ${share}; only these get traffic`)
  }
}
