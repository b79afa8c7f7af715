// Room `registers`: values that all instances share, each changed by one instance at a time.
import type { Entry, Store, Unsubscribe } from '../store/store.ts'
import { Subscribers } from '../store/subscribers.ts'

/** How often a change is tried while others are faster. Each time, one of them has got through. */
const mostTries = 1000

/** A value that all instances share: plain data. */
export class Register<Value> {
  readonly key: string
  readonly #store: Store
  readonly #unwatch: Unsubscribe
  readonly #listeners = new Subscribers<Entry<Value>>()
  #newest: Entry<Value> | undefined
  /** The last one that was seen, of a value that was removed, too. */
  #version = 0

  constructor(store: Store, key: string) {
    this.#store = store
    this.key = key
    this.#unwatch = store.watch(key, (entry) => this.#observe(entry as Entry<Value>))
  }

  /** The newest entry that is known here; undefined before `read` if nothing has changed since. */
  get newest(): Entry<Value> | undefined {
    return this.#newest
  }

  async read(): Promise<Entry<Value> | undefined> {
    const before = this.#version
    const entry = (await this.#store.read(this.key)) as Entry<Value> | undefined
    if (entry !== undefined) this.#observe(entry)
    else if (this.#version === before) this.#forget()
    return this.#newest
  }

  /** Keeps a value unless there is a newer version than `version`; undefined then. */
  async set(version: number, value: Value): Promise<Entry<Value> | undefined> {
    const entry = (await this.#store.compareAndSet(this.key, version, value)) as Entry<Value> | undefined
    if (entry !== undefined) this.#observe(entry)
    return entry
  }

  /**
   * Changes the value to what `make` builds from the current one, which may be called several times; `undefined` leaves it.
   * Answers the entry that is then in force.
   * @throws Error when others are always faster
   */
  async change(make: (now: Value | undefined) => Value | undefined): Promise<Entry<Value> | undefined> {
    for (let tries = 0; tries < mostTries; tries++) {
      // oxlint-disable-next-line no-await-in-loop -- each try begins with what the one before has found
      const now = tries === 0 && this.#newest !== undefined ? this.#newest : await this.read()
      const value = make(now?.value)
      if (value === undefined) return now
      // oxlint-disable-next-line no-await-in-loop -- likewise
      const entry = await this.set(now?.version ?? 0, value)
      if (entry !== undefined) return entry
    }
    throw new Error(`The register ${this.key} could not be changed: others were always faster`)
  }

  /** Calls back with each newer value, by any instance, in the order of versions. */
  onChange(callback: (entry: Entry<Value>) => void): Unsubscribe {
    return this.#listeners.add('', callback)
  }

  close(): void {
    this.#unwatch()
    this.#listeners.clear()
  }

  /** Nothing is kept there by now. Where the store has lost it, its versions begin again. */
  #forget(): void {
    this.#newest = undefined
    this.#version = 0
  }

  #observe(entry: Entry<Value>): void {
    // One's own change is known before the store tells of it.
    if (entry.version <= this.#version) return
    this.#version = entry.version
    this.#newest = entry.value === undefined ? undefined : entry
    if (this.#newest === undefined) return
    this.#listeners.tell('', entry)
  }
}
