import type { FastifyBaseLogger } from 'fastify'
import { Attempt, type AttemptOwner } from './attempt/attempt.ts'
import type { Backend } from './backends/backend.ts'
import type { BackendSet } from './backends/backend-set.ts'
import { Backends } from './backends/backends.ts'
import { channels } from './channels.ts'
import { systemClock, type Clock } from './clock.ts'
import { ManagedList } from './managed-list.ts'
import { Exchanges } from './exchange-ceiling.ts'
import type { Explanation } from './picking/explain.ts'
import { failures } from './failure.ts'
import { Hooks, type BalancerHooks } from './hooks.ts'
import { AttemptCounts } from './attempt-counts.ts'
import { prepareChange, type PrepareOptions } from './changes/preparation.ts'
import type { PreparedChange } from './changes/prepared-change.ts'
import { parseOptions, type BalancerOptions, type ParsedOptions } from './options.ts'
import { Picking, type PickingSettings } from './picking/picking.ts'
import type { PickRequest, Policy } from './picking/policy.ts'
import { Handover, type WaitingSeeker } from './picking/handover.ts'
import { WaitingQueue } from './picking/queue.ts'
import { RetryBudget } from './attempt/retry-budget.ts'
import { SlowStart } from './backends/slow-start.ts'

/** An exchange, as far as it can wait for a backend. */
export type WaitingExchange = AttemptOwner & WaitingSeeker<Attempt>

function pickingSettings({ panicThreshold, timeouts }: ParsedOptions): PickingSettings {
  return { lastResort: panicThreshold !== false && timeouts.connect }
}

/** One named balancer: its backends, its policy, and everything that requests share on their way. */
export class Balancer extends ManagedList {
  readonly name: string
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
  #options: ParsedOptions
  #policy: Policy
  protected readonly list: Backends
  readonly #slowStart: SlowStart
  readonly #picking: Picking<Attempt, AttemptOwner>
  readonly #handover: Handover<Attempt, WaitingExchange>
  readonly #log: FastifyBaseLogger | undefined
  readonly #exchanges = new Exchanges()
  #closed: Promise<void> | undefined

  /** @throws BadOptionsError naming every fault */
  constructor(options: BalancerOptions = {}, log?: FastifyBaseLogger) {
    super()
    const parsed = parseOptions(options)
    const { clock = systemClock, random = Math.random } = parsed
    this.name = parsed.name
    this.#options = parsed
    this.clock = clock
    this.random = random
    this.#policy = parsed.policy(random)
    this.hooks = new Hooks((error, hook) =>
      log?.error({ err: error, balancer: parsed.name, hook }, 'a balancer hook threw'),
    )
    this.queue = new WaitingQueue(parsed.queue.max)
    this.budget = new RetryBudget(parsed.retry.budget)
    this.counts = new AttemptCounts(this.hooks, clock, parsed.timeouts, (freed) => this.#handover.freed(freed))
    this.#log = log
    this.#slowStart = new SlowStart(clock, parsed.slowStart, () => this.#picking.over(this.set))
    this.list = new Backends(parsed, clock, this.hooks, (now, before) => this.#onSwap(now, before))
    this.#picking = new Picking(
      this.policy,
      this.set,
      pickingSettings(parsed),
      (backend, exchange: AttemptOwner, isLast) => {
        const attempt = new Attempt(exchange, backend, exchange.attempts.length + 1, isLast)
        return this.hooks.onPick.length === 0 || this.hooks.admits(attempt) ? attempt : undefined
      },
    )
    this.#handover = new Handover(this.queue, this.#picking, () => this.list.settle())
  }

  /** With every default in place: one object, whose place another takes when they change. */
  get options(): ParsedOptions {
    return this.#options
  }

  get policy(): Policy {
    return this.#policy
  }

  /**
   * Checks options that are to take the place of those of now, everything included that is not given and so has its
   * default; and lets newcomers be probed. What cannot change while the balancer runs is named, and stays. Nothing changes
   * before `commit`. Prepare several balancers first, and then commit all, to have everything or nothing.
   */
  prepare(given: BalancerOptions, options?: PrepareOptions): Promise<PreparedChange> {
    return prepareChange(given, options, () => ({
      options: this.#options,
      policy: this.#policy,
      hooks: this.hooks,
      backends: this.list,
      apply: (next, policy) => this.#apply(next, policy),
    }))
  }

  /** Adds to what requests do, or counts for this balancer: see `BalancerHooks`. */
  addHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.add(name, hook)
    return this
  }

  /** Takes back what `addHook` has added. */
  removeHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.remove(name, hook)
    return this
  }

  /** Begins a backend's slow start anew, e.g. when it was let in only to be tried, and has stood the trial. */
  warmUp(backend: Backend): void {
    this.#slowStart.restart(backend)
  }

  /** Says of every backend why it may or may not be used, and which one would be picked. Sends nothing, changes nothing. */
  explain(request: Partial<PickRequest> = {}): Explanation {
    this.list.settle()
    return this.#picking.explain({ method: 'GET', url: '/', headers: {}, ...request })
  }

  /**
   * Chooses a backend that has room, was not tried yet and is not refused by a hook. `saturated`: one may become free;
   * `none`: waiting would not help.
   */
  pick(exchange: AttemptOwner): Attempt | 'saturated' | 'none' {
    this.list.settle()
    if (this.#handover.mustQueue(exchange)) return 'saturated'
    return this.#picking.pick(exchange)
  }

  /** An attempt at this backend, unless it is full or a hook refuses. */
  attemptAt(backend: Backend, exchange: AttemptOwner): Attempt | 'saturated' | 'none' {
    return this.#picking.at(backend, exchange)
  }

  /** Exchanges that have begun and not ended. */
  get exchanges(): number {
    return this.#exchanges.count
  }

  /** An exchange has begun; false if there are too many in this process. */
  enter(): boolean {
    return this.#exchanges.enter(this.#options.maxExchanges)
  }

  /** An exchange has ended. */
  leave(): void {
    this.#exchanges.leave()
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

  /** Puts options in force, but for the list. */
  #apply(options: ParsedOptions, policy: Policy): void {
    this.#options = Object.freeze(options)
    this.#policy = policy
    this.queue.max = options.queue.max
    this.budget.configure(options.retry.budget)
    this.counts.limit(options.timeouts)
    this.#slowStart.configure(options.slowStart)
    this.#picking.configure(policy, pickingSettings(options))
  }

  async #close(): Promise<void> {
    if (this.#exchanges.count > 0) await this.#exchanges.end(this.clock, this.options.drainDeadline)
    this.#slowStart.stop()
    await this.list.close()
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
    const figures = { balancer: this.name, backends: all.length, available: available.length }
    if (panicking)
      this.#log?.warn(figures, 'panic began: too few healthy backends, so health is ignored and all are tried')
    else this.#log?.info(figures, 'panic ended: unhealthy backends are left alone again')
  }
}
