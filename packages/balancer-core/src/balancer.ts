import type { FastifyBaseLogger } from 'fastify'
import { Attempt, type AttemptOwner } from './attempt/attempt.ts'
import type { Backend } from './backends/backend.ts'
import type { BackendSet } from './backends/backend-set.ts'
import { Backends } from './backends/list/backends.ts'
import { channels } from './channels.ts'
import { systemClock, type Clock } from './clock.ts'
import { ManagedList } from './managed-list.ts'
import { Exchanges } from './exchange-ceiling.ts'
import type { Explanation } from './picking/explain.ts'
import { hedgingWith, type Hedging } from './hedging/hedging.ts'
import { failures } from './failure.ts'
import { Hooks, type BalancerHooks } from './hooks.ts'
import { logPanic } from './state-log/panic-log.ts'
import { tellOfQueue } from './state-log/queue-log.ts'
import { AttemptCounts } from './counts/attempt-counts.ts'
import { Totals } from './counts/totals.ts'
import { prepareChange, type PrepareOptions } from './changes/preparation.ts'
import type { PreparedChange } from './changes/prepared-change.ts'
import { parseOptions, type BalancerOptions, type ParsedOptions } from './options.ts'
import { Picking, type PickingSettings } from './picking/picking.ts'
import { corePolicies } from './picking/policies/by-name.ts'
import type { NamedPolicies } from './picking/policies/named-policy.ts'
import type { PickRequest, Policy } from './picking/policy.ts'
import { PolicyInForce } from './picking/policy-in-force.ts'
import { Tunnels } from './tunnel/tunnels.ts'
import { Handover, type WaitingSeeker } from './picking/handover.ts'
import { WaitingQueue } from './picking/queue/waiting-queue.ts'
import { RetryBudget } from './attempt/retry-budget.ts'
import { SlowStart } from './backends/slow-start.ts'

/** An exchange, as far as it can wait for a backend. */
export type WaitingExchange = AttemptOwner & WaitingSeeker<Attempt>

function pickingSettings({ panicThreshold, timeouts }: ParsedOptions): PickingSettings {
  return { lastResort: panicThreshold !== false && timeouts.connect }
}

/** A policy of one's own, which is attached to the balancer. */
export type BalancerPolicy = Policy<Balancer>

/** One named balancer: its backends, its policy, and everything that its requests share. */
export class Balancer extends ManagedList {
  readonly name: string
  readonly clock: Clock
  /** Source of random numbers: 0 ≤ x < 1. */
  readonly random: () => number
  /** The table of failures and whose fault they are: for extensions, which import only types. */
  readonly failures = failures
  readonly hooks: Hooks
  readonly queue: WaitingQueue<WaitingExchange>
  readonly budget: RetryBudget
  readonly counts: AttemptCounts
  readonly totals = new Totals()
  /** Undefined while it is off. */
  hedging: Hedging | undefined
  /** Exchanges that were upgraded. */
  readonly tunnels = new Tunnels()
  /** Objects of other plugins, by plugin name: this is how they find each other in any scope. */
  readonly extensions = new Map<string, unknown>()
  #options: ParsedOptions
  readonly #inForce: PolicyInForce<Balancer>
  protected readonly list: Backends
  readonly #slowStart: SlowStart
  /** Which backend gets a request. */
  readonly picking: Picking<Attempt, AttemptOwner>
  readonly #handover: Handover<Attempt, WaitingExchange>
  readonly #log: FastifyBaseLogger | undefined
  readonly #exchanges = new Exchanges()
  readonly #named: NamedPolicies
  #closed: Promise<void> | undefined

  /** `named`: the policies that can be named. @throws BadOptionsError naming every fault */
  constructor(options: BalancerOptions = {}, log?: FastifyBaseLogger, named: NamedPolicies = corePolicies) {
    super()
    const parsed = parseOptions(options, named)
    const { clock = systemClock, random = Math.random } = parsed
    this.name = parsed.name
    this.#options = parsed
    this.clock = clock
    this.random = random
    this.#named = named
    this.#inForce = new PolicyInForce(this, parsed.policy.make(random), (error, policy) =>
      log?.error({ err: error, balancer: parsed.name, policy }, 'the policy threw an error'),
    )
    this.hooks = new Hooks((error, hook) =>
      log?.error({ err: error, balancer: parsed.name, hook }, 'a hook of the balancer threw an error'),
    )
    this.queue = new WaitingQueue(parsed.queue, clock, (spell) => tellOfQueue(this, spell, log))
    this.budget = new RetryBudget(parsed.retry.budget)
    this.counts = new AttemptCounts(this.hooks, clock, parsed.timeouts, (freed) => this.#handover.freed(freed))
    this.hedging = hedgingWith(parsed.hedge, clock, undefined)
    this.#log = log
    this.#slowStart = new SlowStart(clock, parsed.slowStart, () => this.picking.over(this.set))
    this.list = new Backends(parsed, clock, this.hooks, (now, before, cause) => this.#onSwap(now, before, cause))
    this.list.watchTls(parsed.name, log)
    this.#inForce.attach()
    this.picking = new Picking(
      this.policy,
      this.set,
      pickingSettings(parsed),
      (backend, exchange: AttemptOwner, isLast) => {
        if (exchange.upgrade !== undefined && this.tunnels.isFullAt(backend, this.#options.upgrade)) return undefined
        const attempt = new Attempt(exchange, backend, exchange.attempts.length + 1, isLast)
        return this.hooks.onPick.length === 0 || this.hooks.admits(attempt) ? attempt : undefined
      },
    )
    this.#handover = new Handover(this.queue, this.picking, () => this.list.settle())
  }

  /** With every default in place: one object, whose place another takes when they change. */
  get options(): ParsedOptions {
    return this.#options
  }

  get policy(): Policy {
    return this.#inForce.policy
  }

  /**
   * Checks options that are to take the place of those of now, everything included that is not given and so has its
   * default; and lets newcomers be probed. What cannot change while the balancer runs is named, and stays. Nothing changes
   * before `commit`. Prepare several balancers first, and then commit all, to have everything or nothing.
   */
  prepare(given: BalancerOptions, options?: PrepareOptions): Promise<PreparedChange> {
    return prepareChange(given, options, () => ({
      options: this.#options,
      policy: this.policy,
      named: this.#named,
      hooks: this.hooks,
      backends: this.list,
      apply: (next, policy) => this.#apply(next, policy),
    }))
  }

  /** Adds a hook: see `BalancerHooks`. */
  addHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.add(name, hook)
    return this
  }

  /** Removes a hook that `addHook` has added. */
  removeHook<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): this {
    this.hooks.remove(name, hook)
    return this
  }

  /** Restarts a backend's slow start, e.g. after a successful trial. */
  warmUp(backend: Backend): void {
    this.#slowStart.restart(backend)
  }

  /** Sets the most requests in flight, from 1 to `maxInFlight`; Infinity lifts that. Of several, by name, the least holds. */
  limit(backend: Backend, capacity: number, by = 'limit'): void {
    const before = backend.limit
    backend.restrict(capacity, by)
    if (backend.limit > before) this.#handover.freed(backend)
  }

  /**
   * Tells for every backend why it would or would not be used, and which one would be picked. Sends nothing, changes
   * nothing.
   */
  explain(request: Partial<PickRequest> = {}): Explanation {
    this.list.settle()
    return this.picking.explain({ method: 'GET', url: '/', headers: {}, ...request })
  }

  /**
   * Picks a backend that is below its limit, was not tried yet and is not refused by a hook. `saturated`: one may
   * become free; `none`: waiting would not help.
   */
  pick(exchange: AttemptOwner): Attempt | 'saturated' | 'none' {
    this.list.settle()
    if (this.#handover.mustQueue(exchange)) return 'saturated'
    return this.picking.pick(exchange)
  }

  /** Requests in progress. */
  get exchanges(): number {
    return this.#exchanges.count
  }

  /** An exchange has begun; false if there are too many in this process. */
  enter(): boolean {
    return this.#exchanges.enter(this.#options.maxExchanges)
  }

  /** An exchange that had room needs it no longer. */
  giveRoom(): void {
    this.#exchanges.giveRoom()
  }

  /** An exchange has ended. */
  leave(): void {
    this.#exchanges.leave()
  }

  /** True once it is closing: no new requests, those in progress may finish. */
  get closing(): boolean {
    return this.#closed !== undefined
  }

  /** Waits until every exchange has ended, at most `deadline` ms (0 = no limit); then closes all connections. */
  close(deadline = this.options.drainDeadline): Promise<void> {
    return (this.#closed ??= this.#close(deadline))
  }

  /** A live view of its state. */
  toJSON() {
    const { name, policy, set, exchanges, tunnels, queue, backends } = this
    const { revision, panicking } = set
    const waiting = { waiting: queue.length, ...(queue.byClass && { waitingByClass: queue.byClass }) }
    return { name, policy: policy.name, revision, panicking, exchanges, tunnels: tunnels.size, ...waiting, backends }
  }

  /** Puts options in force, but for the list. */
  #apply(options: ParsedOptions, policy: Policy): void {
    this.#options = Object.freeze(options)
    this.#inForce.replace(policy)
    this.queue.configure(options.queue)
    this.budget.configure(options.retry.budget)
    this.hedging = hedgingWith(options.hedge, this.clock, this.hedging)
    this.counts.limit(options.timeouts)
    this.#slowStart.configure(options.slowStart)
    this.picking.configure(policy, pickingSettings(options))
  }

  async #close(deadline: number): Promise<void> {
    const unlimit = deadline === 0 ? this.tunnels.limit(this.clock) : undefined
    if (this.#exchanges.count > 0) await this.#exchanges.end(this.clock, deadline)
    unlimit?.()
    if (this.tunnels.size > 0) await this.tunnels.shutDown('shutdown')
    this.#slowStart.stop()
    this.#inForce.detach()
    await this.list.close()
    this.counts.close()
    this.queue.stop()
    this.hedging?.stop()
  }

  #onSwap(now: BackendSet, before: BackendSet, cause: unknown): void {
    this.#slowStart.observe(now, before)
    this.picking.over(now)
    if (now.panicking !== before.panicking) logPanic(this.#log, this.name, now)
    if (channels.backendsChange.hasSubscribers) channels.backendsChange.publish({ balancer: this, now, before, cause })
    this.#handover.changed()
  }
}
