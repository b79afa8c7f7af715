import type { Entry, Instance, Store, Unsubscribe } from './store.ts'
import { Subscribers } from './subscribers.ts'

/** Timers, as far as they are needed here; those of Node by default. */
export interface Timers {
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
}

const ownTimers: Timers = {
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

/** The time for which an announcement holds is measured in so many parts. */
const parts = 5

/** What is announced, and the timer that forgets it. */
interface Announced {
  readonly instance: Instance
  readonly timer: unknown
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}

/** A copy that nobody can change: one for all who read it. */
function kept<Value>(value: Value): Value {
  return value === undefined ? value : frozen(JSON.parse(JSON.stringify(value)) as Value)
}

/** A store for instances in one process, and what the parent of worker processes keeps for them. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Entry>()
  /** Of keys that were removed, so that a version never comes back. */
  readonly #removed = new Map<string, number>()
  readonly #watchers = new Subscribers<Entry>()
  readonly #announced = new Map<string, Announced>()
  readonly #instanceWatchers = new Subscribers<readonly Instance[]>()
  readonly #listeners = new Subscribers<unknown>()
  readonly #timers: Timers
  #isClosed = false

  constructor(timers: Timers = ownTimers) {
    this.#timers = timers
  }

  async read(key: string): Promise<Entry | undefined> {
    this.#checkOpen()
    return this.#entries.get(key)
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Entry>> {
    this.#checkOpen()
    return new Map([...this.#entries].filter(([key]) => key.startsWith(prefix)))
  }

  async compareAndSet(key: string, version: number, value: unknown): Promise<Entry | undefined> {
    this.#checkOpen()
    const current = this.#entries.get(key)?.version ?? 0
    if (current !== version) return undefined
    const entry: Entry = kept({ version: Math.max(current, this.#removed.get(key) ?? 0) + 1, value })
    if (value === undefined) {
      this.#entries.delete(key)
      this.#removed.set(key, entry.version)
    } else {
      this.#entries.set(key, entry)
      this.#removed.delete(key)
    }
    // A subscriber is not called from inside the call of another.
    queueMicrotask(() => this.#watchers.tell(key, entry))
    return entry
  }

  watch(key: string, onEntry: (entry: Entry) => void): Unsubscribe {
    return this.#watchers.add(key, onEntry)
  }

  async announce(instance: Instance, ttl: number): Promise<void> {
    this.#checkOpen()
    const { id } = instance
    const before = this.#announced.get(id)
    if (before !== undefined) this.#timers.clearTimeout(before.timer)
    // One that is known keeps its place.
    this.#announced.set(id, { instance: kept(instance), timer: this.#expiry(id, ttl / parts, parts) })
    this.#tellInstances()
  }

  async withdraw(id: string): Promise<void> {
    this.#checkOpen()
    this.#forget(id)
  }

  watchInstances(onInstances: (all: readonly Instance[]) => void): Unsubscribe {
    let isOver = false
    const unsubscribe = this.#instanceWatchers.add('', onInstances)
    queueMicrotask(() => isOver || this.#isClosed || onInstances(this.#instances()))
    return () => {
      isOver = true
      unsubscribe()
    }
  }

  publish(topic: string, message: unknown): void {
    if (this.#isClosed) return
    const sent = kept(message)
    queueMicrotask(() => this.#listeners.tell(topic, sent))
  }

  subscribe(topic: string, onMessage: (message: unknown) => void): Unsubscribe {
    return this.#listeners.add(topic, onMessage)
  }

  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#announced.values()) this.#timers.clearTimeout(timer)
    this.#announced.clear()
    this.#watchers.clear()
    this.#instanceWatchers.clear()
    this.#listeners.clear()
  }

  #instances(): readonly Instance[] {
    return Object.freeze([...this.#announced.values()].map(({ instance }) => instance))
  }

  /** Counts so many parts: after a pause of this process, what was announced meanwhile is heard before anybody is forgotten. */
  #expiry(id: string, part: number, left: number): unknown {
    return this.#timers.setTimeout(() => {
      const known = this.#announced.get(id)
      if (left === 1 || known === undefined) this.#forget(id)
      else this.#announced.set(id, { ...known, timer: this.#expiry(id, part, left - 1) })
    }, part)
  }

  #forget(id: string): void {
    const before = this.#announced.get(id)
    if (before === undefined) return
    this.#timers.clearTimeout(before.timer)
    this.#announced.delete(id)
    this.#tellInstances()
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Error('the store is closed')
  }

  #tellInstances(): void {
    this.#instanceWatchers.tell('', this.#instances())
  }
}
