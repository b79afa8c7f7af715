// Room `legacies`: what instances leave behind when they end, however they do: their counters still count.
import type { Entry, Store } from '../store/store.ts'

/** How long after it has left the value of an instance is merged with those of others (ms): somebody may be adding up. */
const patience = 60_000

/** The same of one that has not said that it leaves (ms): it may have been paused, and come back with all it has counted. */
const longPatience = 60 * patience

/** So many of those are kept on their own; with more, the first ones have been killed. */
const mostKept = 20

/** So many of those whose values are merged are named: far more than anybody may be reading about at this moment. */
const mostNamed = 100

/** What is kept of an instance. */
interface Own<Value> {
  readonly value: Value
  /** When it was found to be gone (ms since the epoch). */
  readonly goneAt?: number
  /** It has left, and does not come back. */
  readonly isLast?: true
}

/** What is kept of all that have ended. */
interface Departed<Value> {
  readonly value: Value
  /** Whose values are in it, the last ones: they may still be kept on their own, too. */
  readonly merged: readonly string[]
}

function goneAtOf({ value }: Entry<Own<unknown>>): number {
  return value.goneAt ?? Infinity
}

/** How a value is read here, and how two are made one: in any order, and without changing either. Both are plain data. */
export interface LegacyParts<Value> {
  read(): Value
  merge(one: Value, other: Value): Value
}

/** The instances, as far as they are needed here. */
interface Instances {
  readonly id: string
  readonly others: readonly string[]
  readonly isKeeper: boolean
}

/** One value of each instance, and of all instances that have ended. */
export class Legacy<Value> {
  readonly #store: Store
  readonly #instances: Instances
  readonly #parts: LegacyParts<Value>
  readonly #ownKeys: string
  readonly #departedKey: string
  #version = 0
  #saved: string | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(store: Store, instances: Instances, name: string, parts: LegacyParts<Value>) {
    this.#store = store
    this.#instances = instances
    this.#parts = parts
    this.#ownKeys = `legacy/${name}/own/`
    this.#departedKey = `legacy/${name}/departed`
  }

  /** Keeps the value of this instance as it is now: should it end, that remains. `isLast`: it leaves. */
  save(isLast = false): Promise<void> {
    return (this.#saving = this.#saving.catch(() => {}).then(() => this.#save(isLast)))
  }

  /**
   * What all instances but these have left behind, merged; undefined if there are none. By default without those that take
   * part. Give those whose values of now are known.
   */
  async departed(
    known: ReadonlySet<string> = new Set([this.#instances.id, ...this.#instances.others]),
  ): Promise<Value | undefined> {
    // In this order: what is merged in between is found in one of them, and counted once.
    const own = await this.#owns()
    const departed = await this.#departed()
    let value = departed?.value.value
    for (const [id, entry] of own) {
      if (known.has(id) || departed?.value.merged.includes(id) === true) continue
      value = value === undefined ? entry.value.value : this.#parts.merge(value, entry.value.value)
    }
    return value
  }

  /** The keeper merges what those have left that ended a while ago, so that it does not grow with every restart. */
  async tidy(now = Date.now()): Promise<void> {
    const { id: self, others, isKeeper } = this.#instances
    if (!isKeeper) return
    const present = new Set([self, ...others])
    const gone = [...(await this.#owns())].filter(([id]) => !present.has(id))
    let mayComeBack = gone.filter(([, { value }]) => value.isLast !== true).length
    // The longest gone first.
    for (const [id, entry] of gone.toSorted(([, one], [, other]) => goneAtOf(one) - goneAtOf(other))) {
      const { value, goneAt, isLast } = entry.value
      const key = this.#ownKeys + id
      const wait = isLast === true || mayComeBack > mostKept ? patience : longPatience
      // oxlint-disable-next-line no-await-in-loop -- each step begins with what the one before has left
      if (goneAt === undefined) await this.#store.compareAndSet(key, entry.version, { ...entry.value, goneAt: now })
      // oxlint-disable-next-line no-await-in-loop -- likewise
      else if (now - goneAt >= wait && (await this.#merge(id, value))) {
        if (isLast !== true) mayComeBack--
        // oxlint-disable-next-line no-await-in-loop -- likewise
        await this.#store.compareAndSet(key, entry.version, undefined)
      }
    }
  }

  async #save(isLast: boolean): Promise<void> {
    const own: Own<Value> = { value: this.#parts.read(), ...(isLast && { isLast }) }
    const text = JSON.stringify(own)
    if (text === this.#saved) return
    const key = this.#ownKeys + this.#instances.id
    let entry = await this.#store.compareAndSet(key, this.#version, own)
    if (entry === undefined) {
      // It was taken for gone.
      this.#version = (await this.#store.read(key))?.version ?? 0
      entry = await this.#store.compareAndSet(key, this.#version, own)
    }
    if (entry === undefined) return
    this.#version = entry.version
    this.#saved = text
  }

  /** False if somebody else was faster. */
  async #merge(id: string, value: Value): Promise<boolean> {
    const before = await this.#departed()
    if (before === undefined)
      return (await this.#store.compareAndSet(this.#departedKey, 0, { value, merged: [id] })) !== undefined
    const { merged } = before.value
    if (merged.includes(id)) return true
    const next = { value: this.#parts.merge(before.value.value, value), merged: [...merged.slice(1 - mostNamed), id] }
    return (await this.#store.compareAndSet(this.#departedKey, before.version, next)) !== undefined
  }

  async #owns(): Promise<ReadonlyMap<string, Entry<Own<Value>>>> {
    const found = (await this.#store.list(this.#ownKeys)) as ReadonlyMap<string, Entry<Own<Value>>>
    return new Map([...found].map(([key, entry]) => [key.slice(this.#ownKeys.length), entry]))
  }

  async #departed(): Promise<Entry<Departed<Value>> | undefined> {
    return (await this.#store.read(this.#departedKey)) as Entry<Departed<Value>> | undefined
  }
}
