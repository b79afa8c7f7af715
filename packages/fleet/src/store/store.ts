// Room `store`: where the instances of a fleet share what must be one. Every store passes the same test, `test/store/contract.ts`.

/** What is kept under a key. */
export interface Entry<Value = unknown> {
  /** Rises with every change of this key, from 1. */
  readonly version: number
  /** Plain data, as JSON has it. */
  readonly value: Value
}

/** One process with the balancers, as it tells of itself. */
export interface Instance {
  /** Unique for ever, e.g. `host:pid`. */
  readonly id: string
  /** Since when it takes part (ms since the epoch). */
  readonly since: number
  /** `draining`: it finishes what it has, and no longer takes on what one does for all. */
  readonly state: 'starting' | 'ready' | 'draining'
  /** What its extensions tell, each under its own name: plain data. */
  readonly about: Readonly<Record<string, unknown>>
}

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void

/**
 * Where instances share registers, announcements and hints. Registers and announcements are reliable: a subscriber gets
 * the newest state, in order, maybe without states in between. Hints may be lost, and one sent later may come earlier. A call
 * that cannot reach the store is rejected within a few seconds. What is handed out belongs to all: nobody writes to it.
 */
export interface Store {
  /** What is kept under a key; undefined if nothing is. */
  read(key: string): Promise<Entry | undefined>
  /** Every key that begins with this, with what is kept there. */
  list(prefix: string): Promise<ReadonlyMap<string, Entry>>
  /**
   * Keeps a value if the key is still at `version` (0: nothing is kept there), and answers the new entry; undefined if another
   * one was faster. `undefined` as value removes the key: a subscriber gets an entry without a value, and a value that is
   * kept later has a higher version.
   */
  compareAndSet(key: string, version: number, value: unknown): Promise<Entry | undefined>
  /** Calls back with each new entry of a key from now on, in order; not with what is there already. */
  watch(key: string, onEntry: (entry: Entry) => void): Unsubscribe
  /** Makes an instance known, in place of what it announced before. It is forgotten unless it announces again within `ttl` ms. */
  announce(instance: Instance, ttl: number): Promise<void>
  /** Forgets an instance at once. */
  withdraw(id: string): Promise<void>
  /** Calls back with all instances, those first that announced themselves first: soon, and whenever they change. */
  watchInstances(onInstances: (all: readonly Instance[]) => void): Unsubscribe
  /** Sends a hint to all that listen to the topic, the sender too. */
  publish(topic: string, message: unknown): void
  /** Calls back with each hint of a topic. */
  subscribe(topic: string, onMessage: (message: unknown) => void): Unsubscribe
  /** Ends all subscriptions at once; calls that are waiting, and later ones, are rejected. */
  close(): void
}
