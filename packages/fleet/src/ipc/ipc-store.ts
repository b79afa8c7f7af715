import type { Entry, Instance, Store, Unsubscribe } from '../store/store.ts'
import { key, now, ours, type Call, type Delivery, type Request } from './messages.ts'

/** The channel to the parent, as `process` has it. */
export interface ParentChannel {
  readonly connected: boolean
  send?(message: object, callback: (error: Error | null) => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'disconnect', listener: () => void): unknown
}

/** A call whose answer is being waited for. */
interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** How often it has been looked for in vain. */
  looks: number
}

/** How often calls that wait are looked at (ms). They are counted, so that a pause of this process is none of the parent's. */
const between = 1000
/** After so many looks, a call is given up. */
const mostLooks = 5
/** A change that comes to the parent later than this (ms) is not made any more: it may have been given up by then. */
const latest = (mostLooks - 1) * between

const parentIsGone = 'the parent process is gone'

/** Of requests of this process: several stores may use its channel. */
let lastNumber = 0

/** A worker's side: the store is its parent. Once that is gone, calls fail, and nothing is heard any more; while it is paused, they fail after 5 s. */
export class IpcStore implements Store {
  readonly #channel: ParentChannel
  readonly #waiting = new Map<number, Waiting>()
  readonly #subscriptions = new Map<number, (value: unknown) => void>()
  #looking: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(channel: ParentChannel = process) {
    this.#channel = channel
    channel.on('message', this.#onMessage)
    channel.on('disconnect', this.#onDisconnect)
  }

  async read(name: string): Promise<Entry | undefined> {
    return (await this.#call({ method: 'read', args: [name] })) as Entry | undefined
  }

  async list(prefix: string): Promise<ReadonlyMap<string, Entry>> {
    return new Map((await this.#call({ method: 'list', args: [prefix] })) as [string, Entry][])
  }

  async compareAndSet(name: string, version: number, value: unknown): Promise<Entry | undefined> {
    const until = now() + latest
    // JSON has no undefined.
    const call: Call =
      value === undefined
        ? { method: 'remove', until, args: [name, version] }
        : { method: 'set', until, args: [name, version, value] }
    return (await this.#call(call)) as Entry | undefined
  }

  watch(name: string, onEntry: (entry: Entry) => void): Unsubscribe {
    return this.#open('watch', name, onEntry as (value: unknown) => void)
  }

  async announce(instance: Instance, ttl: number): Promise<void> {
    await this.#call({ method: 'announce', args: [instance, ttl] })
  }

  async withdraw(id: string): Promise<void> {
    await this.#call({ method: 'withdraw', args: [id] })
  }

  watchInstances(onInstances: (all: readonly Instance[]) => void): Unsubscribe {
    return this.#open('instances', '', onInstances as (value: unknown) => void)
  }

  publish(topic: string, message: unknown): void {
    this.#send({ kind: 'publish', topic, message })
  }

  subscribe(topic: string, onMessage: (message: unknown) => void): Unsubscribe {
    return this.#open('subscribe', topic, onMessage)
  }

  close(): void {
    for (const number of this.#subscriptions.keys()) this.#send({ kind: 'end', number })
    this.#subscriptions.clear()
    this.#isClosed = true
    this.#rejectAll('the store is closed')
    this.#channel.off('message', this.#onMessage)
    this.#channel.off('disconnect', this.#onDisconnect)
  }

  readonly #onMessage = (message: unknown) => {
    const delivery = ours(message) as Delivery | undefined
    if (delivery === undefined) return
    if (delivery.kind === 'event') return this.#subscriptions.get(delivery.number)?.(delivery.value)
    const waiting = this.#waiting.get(delivery.number)
    this.#waiting.delete(delivery.number)
    if (delivery.fault === undefined) waiting?.resolve(delivery.value)
    else waiting?.reject(new Error(delivery.fault))
  }

  readonly #onDisconnect = () => this.#rejectAll(parentIsGone)

  #rejectAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
    this.#look()
  }

  /** Nobody waits for a paused parent. */
  #look(): void {
    for (const [number, call] of this.#waiting)
      if (++call.looks > mostLooks) {
        this.#waiting.delete(number)
        call.reject(new Error('the parent process does not answer'))
      }
    if (this.#waiting.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #call(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Error('the store is closed')
      const number = ++lastNumber
      const fail = (error: Error) => {
        this.#waiting.delete(number)
        reject(error)
      }
      // Before the answer can come; what cannot be sent throws.
      this.#send({ kind: 'call', number, ...call }, (error) => error !== null && fail(error))
      this.#waiting.set(number, { resolve, reject, looks: 0 })
      this.#looking ??= setInterval(() => this.#look(), between).unref()
      if (!this.#channel.connected) fail(new Error(parentIsGone))
    })
  }

  #open(kind: 'watch' | 'subscribe' | 'instances', name: string, onEvent: (value: unknown) => void): Unsubscribe {
    const number = ++lastNumber
    this.#subscriptions.set(number, onEvent)
    this.#send(kind === 'instances' ? { kind, number } : { kind, number, name })
    return () => void (this.#subscriptions.delete(number) && this.#send({ kind: 'end', number }))
  }

  #send(request: Request, onEnd: (error: Error | null) => void = () => {}): void {
    const channel = this.#channel
    if (this.#isClosed || !channel.connected) return
    // Without a callback, a parent that is gone is an uncaught error.
    channel.send?.({ [key]: request }, onEnd)
  }
}
