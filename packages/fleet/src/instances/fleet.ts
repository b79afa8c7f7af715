// Room `instances`: who takes part, what instances tell each other, and what they ask each other.
import { Legacy, type LegacyParts } from '../legacies/legacy.ts'
import { Register } from '../registers/register.ts'
import type { Instance, Store, Unsubscribe } from '../store/store.ts'
import { Questions, type Answers } from './questions.ts'

/** How an instance takes part. */
export interface FleetSettings {
  /** Unique for ever among the instances. */
  readonly id: string
  /** How often it says that it is there (ms). It is forgotten after five times that. */
  readonly heartbeat: number
  /** It is to take the place of another one: until `takeOver`, the lists of the others hold, whatever its configuration says. */
  readonly isSuccessor?: boolean
}

/** A hint, as it is sent. */
interface Hint {
  readonly from: string
  readonly message: unknown
}

/** The list and the orders of one balancer, which all instances share. */
export interface SharedList {
  /** The list in force here; two instances with the same digest have the same list and orders. */
  inForce(): { readonly revision: number; readonly digest: string }
  /** What another instance has ordered is being carried out here right now. */
  readonly isFollowing: boolean
  /** Puts in force what is newest in the store. */
  caughtUp(): Promise<void>
  /** Waits until all have in force what is newest here, at most 2 s; the ids of those that have not. */
  unconfirmed(): Promise<readonly string[]>
  /** Puts the list of the configuration in force, if the list of the others was made of another one. */
  takeOver(): Promise<void>
}

/** How long answers of others are waited for (ms). */
const patience = 1000

/** This instance among all that share a store. */
export class Fleet {
  readonly id: string
  readonly store: Store
  /** How often an instance says that it is there (ms). */
  readonly heartbeat: number
  readonly #questions: Questions
  readonly #registers = new Map<string, Register<unknown>>()
  readonly #legacies = new Map<string, Legacy<never>>()
  readonly #about = new Map<string, () => unknown>()
  readonly #lists = new Map<string, SharedList>()
  readonly #onChange = new Set<(instances: readonly Instance[]) => void>()
  readonly #onLeave = new Set<() => unknown>()
  readonly #subscriptions: Unsubscribe[] = []
  readonly #since = Date.now()
  #state: Instance['state'] = 'starting'
  #isSuccessor: boolean
  #instances: readonly Instance[] = []
  #timer: NodeJS.Timeout | undefined
  #left: Promise<void> | undefined
  /** Announcements on their way. */
  #announcing: Promise<unknown> = Promise.resolve()

  constructor(store: Store, { id, heartbeat, isSuccessor = false }: FleetSettings) {
    this.id = id
    this.store = store
    this.heartbeat = heartbeat
    this.#isSuccessor = isSuccessor
    this.#questions = new Questions(store, id)
    this.#subscriptions.push(store.watchInstances((all) => this.#observe(all)))
  }

  /** All that take part, the oldest first; this one too, once it has joined. */
  get instances(): readonly Instance[] {
    return this.#instances
  }

  /** The ids of the other ones. */
  get others(): readonly string[] {
    return this.#instances.flatMap(({ id }) => (id === this.id ? [] : id))
  }

  /**
   * Does this instance do what one does for all? The oldest that is not draining does. Two may both believe it for a moment:
   * it may save work, and must not decide anything.
   */
  get isKeeper(): boolean {
    return this.keeper === this.id
  }

  /** The id of the instance that does what one does for all; undefined before anybody has joined. */
  get keeper(): string | undefined {
    const all = this.#instances
    return (all.find(({ state }) => state !== 'draining') ?? all[0])?.id
  }

  /** It waits to take the place of another one, and changes nothing that the others have. */
  get isSuccessor(): boolean {
    return this.#isSuccessor
  }

  /** Takes part from now on; resolves once all others are known. */
  async join(): Promise<void> {
    this.#timer = setInterval(() => void this.#beat(), this.heartbeat).unref()
    await this.announce()
    if (this.#instances.some(({ id }) => id === this.id)) return
    await new Promise<void>((resolve) => {
      const stop = this.onChange((all) => {
        if (!all.some(({ id }) => id === this.id)) return
        stop()
        resolve()
      })
    })
  }

  /** Nothing hinders it any more: what its configuration says is in force from now on. Does nothing unless it is a successor. */
  async takeOver(): Promise<void> {
    if (!this.#isSuccessor) return
    this.#isSuccessor = false
    await Promise.all([...this.#lists.values()].map((list) => list.takeOver()))
  }

  /** It is `ready`, or begins to drain: what one does for all is another's from then on. */
  async become(state: 'ready' | 'draining'): Promise<void> {
    this.#state = state
    await this.announce()
  }

  /** Tells the others what it has to tell, without waiting for the next heartbeat. */
  async announce(): Promise<void> {
    if (this.#left !== undefined) return
    const about = Object.fromEntries([...this.#about].map(([name, read]) => [name, read()]))
    const instance: Instance = { id: this.id, since: this.#since, state: this.#state, about }
    const announcing = this.store.announce(instance, this.heartbeat * 5)
    this.#announcing = Promise.allSettled([this.#announcing, announcing])
    await announcing
  }

  /** What is told of this instance under a name: plain data, small; read with every heartbeat. */
  tell(name: string, read: () => unknown): Unsubscribe {
    this.#about.set(name, read)
    return () => void (this.#about.get(name) === read && this.#about.delete(name))
  }

  /** Calls back whenever instances join, leave, or tell something else. */
  onChange(callback: (instances: readonly Instance[]) => void): Unsubscribe {
    this.#onChange.add(callback)
    return () => void this.#onChange.delete(callback)
  }

  /** Calls back when this one leaves, while it can still tell the others something, and waits for that. */
  onLeave(callback: () => unknown): Unsubscribe {
    this.#onLeave.add(callback)
    return () => void this.#onLeave.delete(callback)
  }

  /** A value that all share; the same object for the same key. */
  register<Value>(key: string): Register<Value> {
    let register = this.#registers.get(key)
    if (register === undefined) this.#registers.set(key, (register = new Register(this.store, key)))
    return register as Register<Value>
  }

  /**
   * What instances that have ended leave behind under a name, e.g. their counters; the same object for the same name. Each
   * instance saves its value with every heartbeat and when it leaves.
   */
  legacy<Value>(name: string, parts: LegacyParts<Value>): Legacy<Value> {
    const known = this.#legacies.get(name) as Legacy<Value> | undefined
    if (known !== undefined) return known
    const legacy = new Legacy(this.store, this, name, parts)
    this.#legacies.set(name, legacy as unknown as Legacy<never>)
    return legacy
  }

  /** What is shared of a balancer, by its name; undefined before it has joined. */
  list(balancer: string): SharedList | undefined {
    return this.#lists.get(balancer)
  }

  /** The list and the orders of a balancer are shared from now on. */
  share(balancer: string, list: SharedList): void {
    this.#lists.set(balancer, list)
  }

  /** Sends a hint to the others. It may be lost. */
  publish(topic: string, message: unknown): void {
    this.store.publish(topic, { from: this.id, message } satisfies Hint)
  }

  /** Calls back with the hints of others. */
  subscribe(topic: string, callback: (message: unknown, from: string) => void): Unsubscribe {
    const unsubscribe = this.store.subscribe(topic, (hint) => {
      const { from, message } = hint as Hint
      if (from !== this.id) callback(message, from)
    })
    this.#subscriptions.push(unsubscribe)
    return unsubscribe
  }

  /** Asks the others, or some of them, and waits for their answers, at most `timeout` ms. */
  ask<Answer>(
    topic: string,
    question: unknown,
    { whom = this.others, timeout = patience }: { readonly whom?: readonly string[]; readonly timeout?: number } = {},
  ): Promise<Answers<Answer>> {
    return this.#questions.ask<Answer>(topic, question, whom, timeout)
  }

  /** Answers the questions of others. One that throws counts as no answer. */
  answer(topic: string, answer: (question: unknown, from: string) => unknown): Unsubscribe {
    const unsubscribe = this.#questions.answer(topic, answer)
    this.#subscriptions.push(unsubscribe)
    return unsubscribe
  }

  /** Takes part no longer. */
  leave(): Promise<void> {
    return (this.#left ??= this.#leave())
  }

  async #leave(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.allSettled([...this.#onLeave].map(async (callback) => callback()))
    await this.#saveLegacies(true)
    // One that comes after it would announce it again.
    await this.#announcing
    // An instance that asks it must not wait.
    await this.store.withdraw(this.id).catch(() => {})
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    this.#questions.close()
    for (const register of this.#registers.values()) register.close()
  }

  /** The store may be away for a while. */
  async #beat(): Promise<void> {
    await Promise.allSettled([this.announce(), this.#saveLegacies()])
    await Promise.allSettled([...this.#legacies.values()].map((legacy) => legacy.tidy()))
  }

  async #saveLegacies(isLast = false): Promise<void> {
    await Promise.allSettled([...this.#legacies.values()].map((legacy) => legacy.save(isLast)))
  }

  #observe(all: readonly Instance[]): void {
    this.#instances = all
    this.#questions.keepOnly(new Set(all.map(({ id }) => id)))
    for (const callback of this.#onChange) callback(all)
  }
}
