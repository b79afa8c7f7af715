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

/** What is announced, and the timer that forgets it. */
interface Announced {
  readonly instance: Instance
  readonly timer: unknown
}

/** No caller may change what is kept by changing what it has given or got. */
function copied<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value)
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

  constructor(timers: Timers = ownTimers) {
    this.#timers = timers
  }

  async read(key: string): Promise<Entry | undefined> {
    return copied(this.#entries.get(key))
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Entry>> {
    return new Map(
      [...this.#entries].filter(([key]) => key.startsWith(prefix)).map(([key, entry]) => [key, copied(entry)]),
    )
  }

  async compareAndSet(key: string, version: number, value: unknown): Promise<Entry | undefined> {
    const current = this.#entries.get(key)?.version ?? 0
    if (current !== version) return undefined
    const entry: Entry = { version: Math.max(current, this.#removed.get(key) ?? 0) + 1, value: copied(value) }
    if (value === undefined) {
      this.#entries.delete(key)
      this.#removed.set(key, entry.version)
    } else {
      this.#entries.set(key, entry)
      this.#removed.delete(key)
    }
    // The caller knows first.
    queueMicrotask(() => this.#watchers.tell(key, copied(entry)))
    return copied(entry)
  }

  watch(key: string, onEntry: (entry: Entry) => void): Unsubscribe {
    return this.#watchers.add(key, onEntry)
  }

  async announce(instance: Instance, ttl: number): Promise<void> {
    const { id } = instance
    const before = this.#announced.get(id)
    if (before !== undefined) this.#timers.clearTimeout(before.timer)
    const timer = this.#timers.setTimeout(() => void this.withdraw(id), ttl)
    // One that is known keeps its place.
    this.#announced.set(id, { instance: copied(instance), timer })
    this.#tellInstances()
  }

  async withdraw(id: string): Promise<void> {
    const before = this.#announced.get(id)
    if (before === undefined) return
    this.#timers.clearTimeout(before.timer)
    this.#announced.delete(id)
    this.#tellInstances()
  }

  watchInstances(onInstances: (all: readonly Instance[]) => void): Unsubscribe {
    queueMicrotask(() => onInstances(this.#instances()))
    return this.#instanceWatchers.add('', onInstances)
  }

  publish(topic: string, message: unknown): void {
    const sent = copied(message)
    queueMicrotask(() => this.#listeners.tell(topic, sent))
  }

  subscribe(topic: string, onMessage: (message: unknown) => void): Unsubscribe {
    return this.#listeners.add(topic, onMessage)
  }

  close(): void {
    for (const { timer } of this.#announced.values()) this.#timers.clearTimeout(timer)
    this.#announced.clear()
    this.#watchers.clear()
    this.#instanceWatchers.clear()
    this.#listeners.clear()
  }

  #instances(): readonly Instance[] {
    return copied([...this.#announced.values()].map(({ instance }) => instance))
  }

  #tellInstances(): void {
    this.#instanceWatchers.tell('', this.#instances())
  }
}
