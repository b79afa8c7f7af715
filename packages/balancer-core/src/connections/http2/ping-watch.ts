import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { afterPoll } from './after-poll.ts'

/** When to check, and how long to wait for the answer, in ms. */
export interface PingSettings {
  /** 0 = never. */
  readonly pingInterval: number
  readonly pingTimeout: number
}

/** Its connection: asked whether it has requests, and told that it is dead. */
interface Pinged {
  readonly requests: { readonly size: number }
  onSilence(): void
}

/**
 * Notices that the machine of a backend has vanished, which TCP does not tell a connection that only waits: if nothing has
 * arrived for a while, PING must be answered (RFC 9113 §6.7). One timer for many requests.
 */
export class PingWatch {
  readonly #session: ClientHttp2Session
  readonly #socket: Socket
  readonly #settings: PingSettings
  readonly #owner: Pinged
  #timer: NodeJS.Timeout | undefined
  #bytesBefore = 0

  constructor(session: ClientHttp2Session, socket: Socket, settings: PingSettings, owner: Pinged) {
    this.#session = session
    this.#socket = socket
    this.#settings = settings
    this.#owner = owner
  }

  /** It has requests: it is checked from now on, until it has none. */
  begin(): void {
    const { pingInterval } = this.#settings
    if (pingInterval === 0 || this.#timer !== undefined) return
    this.#bytesBefore = this.#socket.bytesRead
    this.#timer = setTimeout(() => this.#check(), pingInterval).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #check(): void {
    this.#timer = undefined
    if (this.#owner.requests.size === 0 || this.#session.destroyed) return
    const isSent = !this.#hasMoved && this.#session.ping((error) => error ?? this.#onAnswer())
    if (!isSent) return this.begin()
    this.#timer = setTimeout(afterPoll, this.#settings.pingTimeout, () => this.#onWaited()).unref()
  }

  #onAnswer(): void {
    this.stop()
    this.#timer = undefined
    this.begin()
  }

  #onWaited(): void {
    this.#timer = undefined
    if (this.#session.destroyed || this.#owner.requests.size === 0) return
    if (this.#hasMoved) this.begin()
    else this.#owner.onSilence()
  }

  get #hasMoved(): boolean {
    return this.#socket.bytesRead !== this.#bytesBefore
  }
}
