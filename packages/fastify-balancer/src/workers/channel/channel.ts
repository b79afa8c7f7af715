// Room `workers/channel`: what a parent process and its workers say to each other.
import type { AskedOfParent, AskedOfWorker, ToldToParent, ToldToWorker } from './messages.ts'

/** By which messages of ours are told from others on the same channel. */
const key = 'fastifyBalancerWorkers'

type Message =
  | { readonly kind: 'tell'; readonly topic: string; readonly content: unknown }
  | { readonly kind: 'ask'; readonly topic: string; readonly number: number; readonly content: unknown }
  | { readonly kind: 'answer'; readonly number: number; readonly content?: unknown; readonly fault?: string }

/** The other side, as `process`, `node:cluster` and `node:child_process` have it. */
interface OtherSide {
  isConnected(): boolean
  send(message: object, callback: () => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/** Questions, each with what is asked and what is answered. */
type Questions = Readonly<Record<string, readonly [question: unknown, answer: unknown]>>

interface Waiting {
  readonly resolve: (content: unknown) => void
  readonly reject: (error: Error) => void
}

/** One end of a channel: `Told` and `Asked` go out, `Heard` and `Answered` come in. */
class Channel<Told, Asked extends Questions, Heard, Answered extends Questions> {
  readonly #otherSide: OtherSide
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Map<string, (content: never) => void>()
  readonly #answers = new Map<string, (content: never) => unknown>()
  #last = 0

  constructor(otherSide: OtherSide) {
    this.#otherSide = otherSide
    otherSide.on('message', (message) => this.#receive(message))
    otherSide.on('disconnect', () => this.giveUp('the process at the other end has gone'))
  }

  /** Tells the other side, if it is there; resolves once it was sent. */
  tell<Topic extends keyof Told & string>(topic: Topic, content: Told[Topic]): Promise<void> {
    return this.#send({ kind: 'tell', topic, content })
  }

  /** Asks the other side. @throws Error when it has gone, or could not answer */
  ask<Topic extends keyof Asked & string>(topic: Topic, content: Asked[Topic][0]): Promise<Asked[Topic][1]> {
    return new Promise((resolve, reject) => {
      const number = ++this.#last
      if (!this.#otherSide.isConnected()) return reject(new Error('the process at the other end has gone'))
      this.#waiting.set(number, { resolve, reject })
      void this.#send({ kind: 'ask', topic, number, content })
    })
  }

  /** Nobody waits any more for what was asked. */
  giveUp(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }

  /** Calls back with what is told; one listener for each topic. */
  hear<Topic extends keyof Heard & string>(topic: Topic, listener: (content: Heard[Topic]) => void): void {
    this.#listeners.set(topic, listener)
  }

  /** Answers what is asked. */
  answer<Topic extends keyof Answered & string>(
    topic: Topic,
    answer: (question: Answered[Topic][0]) => Promise<Answered[Topic][1]>,
  ): void {
    this.#answers.set(topic, answer)
  }

  #send(message: Message): Promise<void> {
    return new Promise((resolve) => {
      if (this.#otherSide.isConnected()) this.#otherSide.send({ [key]: message }, resolve)
      else resolve()
    })
  }

  #receive(received: unknown): void {
    if (typeof received !== 'object' || received === null || !(key in received)) return
    const message = received[key] as Message
    if (message.kind === 'tell') return this.#listeners.get(message.topic)?.(message.content as never)
    if (message.kind === 'ask') return void this.#reply(message.number, message.topic, message.content)
    const waiting = this.#waiting.get(message.number)
    this.#waiting.delete(message.number)
    if (message.fault === undefined) waiting?.resolve(message.content)
    else waiting?.reject(new Error(message.fault))
  }

  async #reply(number: number, topic: string, question: unknown): Promise<void> {
    try {
      const answer = this.#answers.get(topic)
      if (answer === undefined) throw new Error('it is still starting')
      await this.#send({ kind: 'answer', number, content: await answer(question as never) })
    } catch (error) {
      await this.#send({ kind: 'answer', number, fault: (error as Error).message })
    }
  }
}

/** The parent's end of the channel to one worker. */
export class ChannelToWorker extends Channel<ToldToWorker, AskedOfWorker, ToldToParent, AskedOfParent> {}

/** A worker's end. */
export class ChannelToParent extends Channel<ToldToParent, AskedOfParent, ToldToWorker, AskedOfWorker> {}
