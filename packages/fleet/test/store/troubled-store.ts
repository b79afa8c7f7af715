import type { Entry, Instance, Store, Unsubscribe } from '../../src/index.ts'

/** What becomes of the next hint: it comes so many turns later, or never. */
export type Fate = number | 'lost'

/** A store whose hints are late, in another order, or lost, and that can be away. */
export class TroubledStore implements Store {
  readonly #store: Store
  readonly #fates: readonly Fate[]
  #next = 0
  isAway = false
  /** It does not tell of changes. */
  isDeaf = false

  /** `fates`: of one hint after the other, from the beginning again at the end. */
  constructor(store: Store, fates: readonly Fate[] = [0]) {
    this.#store = store
    this.#fates = fates
  }

  async read(key: string): Promise<Entry | undefined> {
    this.#check()
    return this.#store.read(key)
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Entry>> {
    this.#check()
    return this.#store.list(prefix)
  }

  async compareAndSet(key: string, version: number, value: unknown): Promise<Entry | undefined> {
    this.#check()
    return this.#store.compareAndSet(key, version, value)
  }

  watch(key: string, onEntry: (entry: Entry) => void): Unsubscribe {
    return this.#store.watch(key, (entry) => this.isDeaf || onEntry(entry))
  }

  async announce(instance: Instance, ttl: number): Promise<void> {
    this.#check()
    return this.#store.announce(instance, ttl)
  }

  async withdraw(id: string): Promise<void> {
    return this.#store.withdraw(id)
  }

  watchInstances(onInstances: (all: readonly Instance[]) => void): Unsubscribe {
    return this.#store.watchInstances(onInstances)
  }

  publish(topic: string, message: unknown): void {
    const fate = this.#fates[this.#next++ % this.#fates.length]!
    if (fate === 'lost') return
    const send = (turns: number): unknown =>
      turns === 0 ? this.#store.publish(topic, message) : setImmediate(() => send(turns - 1))
    send(fate)
  }

  subscribe(topic: string, onMessage: (message: unknown) => void): Unsubscribe {
    return this.#store.subscribe(topic, onMessage)
  }

  close(): void {
    this.#store.close()
  }

  #check(): void {
    if (this.isAway) throw new Error('nobody answers')
  }
}
