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

/** One named balancer: its backends, its policy, and everything that requests share on their way. */
export class Balancer {
  readonly name: string
  readonly options: ParsedOptions
  readonly policy: Policy
  readonly clock: Clock
  /** Where chance comes from: numbers from 0 up to, not including, 1. */
  readonly random: () => number
  /** All that can go wrong, and whose fault it is: for extensions, which load only the types. */
  readonly failures = failures
  readonly hooks: Hooks
  readonly queue: WaitingQueue<WaitingExchange>
  readonly budget: RetryBudget
  readonly counts: AttemptCounts
  /** What other plugins keep beside it, by their names: so they are found from whatever scope. */
  readonly extensions = new Map<string, unknown>()
  /** Exchanges that have begun and not ended. */
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

  /** Adds to what requests do, or counts for this balancer: see `BalancerHooks`. */
  addHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.add(name, hook)
    return this
  }

  /** Lays a reason not to use a backend; the handle lifts it. */
  veto(backend: Backend, options: VetoOptions): Veto {
    return this.#backends.veto(backend, options)
  }

  /**
   * Replaces the whole list, or nothing. A backend with the same id and address keeps its counters and connections; one
   * that is gone gets no new request, and finishes what it has until `drainDeadline`.
   * @throws BadOptionsError naming every fault; StaleRevisionError; RefusedBackendsError; NobodyUsableError
   */
  setBackends(list: readonly (string | BackendOptions)[], options?: ChangeOptions): Promise<BackendSet> {
    return this.#backends.change(() => list, options)
  }

  /** What `setBackends` would change with this list, and why it would be refused. Changes nothing. */
  preview(list: readonly (string | BackendOptions)[]): Preview {
    return this.#backends.preview(list)
  }

  /** The same for a list that may be long: requests go on meanwhile. */
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

  /** Takes one out; it finishes what it has until the deadline. @throws as `setBackends`; UnknownBackendError */
  remove(id: string, options: ChangeOptions & DrainOptions = {}): Promise<BackendSet> {
    return this.#backends.changeOne(id, () => undefined, options, options)
  }

  /**
   * Gives it nothing new, and waits: true once it is idle, false if the deadline came first and the rest was cut, or if it
   * was taken back. Until the deadline, a policy that binds clients may still send it those that are its own. It stays in
   * the set; `ready` takes it back. Ordered again, it keeps its deadline, unless there is another. @throws UnknownBackendError
   */
  drain(id: string, options?: DrainOptions): Promise<boolean> {
    return this.#backends.drain(id, options)
  }

  /**
   * Gives it no new request, and cuts what it has. It stays in the set; `ready` takes it back.
   * @throws UnknownBackendError
   */
  maintain(id: string): Promise<void> {
    return this.#backends.maintain(id)
  }

  /** Ends a drain, or maintenance. @throws UnknownBackendError */
  ready(id: string): void {
    this.#backends.ready(id)
  }

  /** Begins a backend's slow start anew, e.g. when it was let in only to be tried, and has stood the trial. */
  warmUp(backend: Backend): void {
    this.#slowStart.restart(backend)
  }

  /** Says of every backend why it may or may not be used, and which one would be picked. Sends nothing, changes nothing. */
  explain(request: Partial<PickRequest> = {}): Explanation {
    this.#backends.settle()
    return this.#picking.explain({ method: 'GET', url: '/', headers: {}, ...request })
  }

  /**
   * Chooses a backend that has room, was not tried yet and is not refused by a hook. `saturated`: one may become free;
   * `none`: waiting would not help.
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

  /** No new requests are to be taken: what is under way may finish. */
  get closing(): boolean {
    return this.#closed !== undefined
  }

  /** Waits until every exchange has ended, at most `drainDeadline`; then closes all connections. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  /** The live view: what it is made of, and how it is now. */
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
