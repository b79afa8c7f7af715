import { RefusalSpells, type RefusalSpell } from '@fastify-balancer/option-schema'
import type { Clock } from '../../clock.ts'
import { ClassShares } from './class-shares.ts'
import { Line, type Waiter } from './line.ts'
import type { QueueSettings } from './queue-options.ts'
import type { QueueRefusal } from './refusals.ts'
import { Round } from './round.ts'

/**
 * A bounded queue for requests while all backends are full, like HAProxy's. Classes of priority have a line each; within
 * a class, the first to come is the first to go. In a line that is overloaded the newest goes first instead, and those
 * that have waited too long are turned away: adaptive LIFO with controlled delay (Maurer, "Fail at Scale", ACM Queue
 * 2015, after CoDel, RFC 8289). Entering, leaving and serving are O(1) for a given number of classes.
 */
export class WaitingQueue<W extends Waiter> {
  length = 0
  readonly #clock: Clock
  #settings: QueueSettings
  #lines!: readonly Line<W>[]
  #shares!: ClassShares
  /** The place of the default class. */
  #usual = 0
  readonly #refusals: RefusalSpells<QueueRefusal>

  /** `onRefusals` is told of each spell of refused requests. */
  constructor(
    settings: QueueSettings,
    clock: Clock,
    onRefusals: (spell: RefusalSpell<QueueRefusal>) => void = () => {},
  ) {
    this.#clock = clock
    this.#settings = settings
    this.#refusals = new RefusalSpells(clock, onRefusals)
    this.#setUp()
  }

  /** How many may wait; fewer from now on lets those that wait already go on waiting. */
  get max(): number {
    return this.#settings.max
  }

  /** How many requests were refused so far, because the queue was full, overloaded, or they had waited too long. */
  get refused(): number {
    return this.#refusals.total
  }

  /** Since when requests are being refused, in ms since the epoch; undefined while none are. */
  get refusingSince(): number | undefined {
    return this.#refusals.since
  }

  /** A request is refused for this reason. */
  count(reason: QueueRefusal): void {
    this.#refusals.count(reason)
  }

  /** Cancels its timer. */
  stop(): void {
    this.#refusals.stop()
  }

  /** Puts other settings in force. Those that wait go on waiting: each in its class, or in the default one if that has gone. */
  configure(settings: QueueSettings): void {
    const before = this.#settings
    this.#settings = settings
    // Without `classify`, which changes nothing for those that wait.
    if (JSON.stringify(settings.priority) === JSON.stringify(before.priority)) return
    const { classes } = before.priority
    const waiting = this.#lines.flatMap((line) => [...this.#inLine(line)])
    for (const waiter of waiting) this.leave(waiter)
    this.#setUp()
    const kept = waiting.map((waiter) => [waiter, waiter.waitingSince, classes[waiter.rank]] as const)
    for (const [waiter, since, name] of kept.toSorted(([, one], [, other]) => one - other))
      this.#enter(waiter, this.#rankOf(name), since)
  }

  /** Adds it, in the class of that name or else the default one; false when the queue is full, for it at least. */
  enter(waiter: W, name?: string): boolean {
    this.shed()
    const rank = this.#rankOf(name)
    if (this.length >= this.#settings.max && !this.#displaceFor(rank)) return false
    this.#enter(waiter, rank, this.#clock.now())
    return true
  }

  /** Removes it; does nothing if it does not wait. */
  leave(waiter: W): void {
    if (!waiter.waiting) return
    this.#lines[waiter.rank]!.leave(waiter)
    this.length--
  }

  /** Removes it, as it gets a place: that counts for the share of its class. */
  serve(waiter: W): void {
    this.leave(waiter)
    if (this.#lines.length > 1) this.#shares.given(waiter.rank, (rank) => this.#lines[rank]!.length > 0)
  }

  /** A round in which each waiting request is asked. */
  round(): Round<W> {
    return new Round(this, this.#lines, this.#shares, (line) => this.#isOverloaded(line))
  }

  /** Turns away those that have waited too long in an overloaded line; one stays, so that a free place is used. */
  shed(): void {
    if (this.#settings.shed === false || this.length === 0) return
    const latest = this.#clock.now() - this.#settings.target
    for (const line of this.#lines) {
      if (!this.#isOverloaded(line)) continue
      for (let { oldest } = line; line.length > 1 && oldest!.waitingSince < latest; oldest = line.oldest) {
        this.leave(oldest!)
        oldest!.turnAway('queue-shed')
      }
    }
  }

  /** How many wait in each class, by its name; undefined without classes. */
  get byClass(): Readonly<Record<string, number>> | undefined {
    const { classes } = this.#settings.priority
    if (classes.length === 0) return undefined
    return Object.fromEntries(classes.map((name, rank) => [name, this.#lines[rank]!.length]))
  }

  #setUp(): void {
    const { classes, default: usual = '', share } = this.#settings.priority
    this.#lines = Array.from({ length: Math.max(classes.length, 1) }, (_, rank) => new Line<W>(rank))
    this.#shares = new ClassShares(this.#lines.length, share)
    this.#usual = Math.max(classes.indexOf(usual), 0)
  }

  #rankOf(name: string | undefined): number {
    const rank = name === undefined ? -1 : this.#settings.priority.classes.indexOf(name)
    return rank === -1 ? this.#usual : rank
  }

  #enter(waiter: W, rank: number, since: number): void {
    this.#lines[rank]!.enter(waiter, since)
    this.length++
  }

  /** Makes room by turning away the newest of the least important class below this one. */
  #displaceFor(rank: number): boolean {
    const newest = this.#lines.findLast((line) => line.rank > rank && line.length > 0)?.newest
    if (newest === undefined) return false
    this.leave(newest)
    newest.turnAway('queue-full')
    return true
  }

  #isOverloaded(line: Line<W>): boolean {
    const { shed, interval } = this.#settings
    return shed !== false && line.length > 0 && this.#clock.now() - line.busySince >= interval
  }

  *#inLine({ oldest }: Line<W>): Generator<W> {
    for (let waiter = oldest; waiter !== undefined; waiter = waiter.nextWaiter as W | undefined) yield waiter
  }
}
