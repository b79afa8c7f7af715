// Room `tunnel`: exchanges that were upgraded: bytes in both directions, until one side or a limit ends them.
import type { Duplex } from 'node:stream'
import type { Backend, BackendTunnel, TunnelEnd } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'
import { goingAway } from './close-frame.ts'
import { FrameBoundary } from './frame-boundary.ts'
import { cut } from './stream-cut.ts'
import { TunnelSide, type SideOwner } from './tunnel-side.ts'

/** Limits of a tunnel, in ms; 0 = none. */
export interface TunnelLimits {
  readonly idle: number
  readonly linger: number
  readonly maxAge: number
}

/** The two ends of a tunnel, with what has already come from each. */
export interface TunnelEnds {
  readonly client: Duplex
  readonly backend: Duplex
  readonly fromClient: readonly Buffer[]
  readonly fromBackend: readonly Buffer[]
}

/** What a tunnel is for. */
export interface TunnelPurpose {
  readonly id: string
  readonly backend: Backend
  /** The protocol that it was switched to, in lower case. */
  readonly protocol: string
  /** The client's address. */
  readonly address: string
  /** The path that the client asked for, without its query. */
  readonly path: string
  /** Called once, when both sides are closed. */
  onEnd(): void
}

/** The time each side has when the tunnel is closed from here (ms): to end its frame, and again to close. */
const grace = 1000

/** One tunnel. */
export class Tunnel implements BackendTunnel, SideOwner {
  readonly purpose: TunnelPurpose
  readonly protocol: string
  readonly openedAt: number
  /** On the clock, in ms; 0 while it is open. */
  closedAt = 0
  closedBy: TunnelEnd | undefined
  readonly #clock: Clock
  readonly #limits: TunnelLimits
  readonly #client: TunnelSide
  readonly #backend: TunnelSide
  #movedAt: number
  #timer: unknown
  #ageTimer: unknown
  #closing: Promise<void> | undefined
  #onClosed: (() => void) | undefined

  constructor(purpose: TunnelPurpose, { client, backend }: TunnelEnds, limits: TunnelLimits, clock: Clock) {
    this.purpose = purpose
    this.protocol = purpose.protocol
    this.#clock = clock
    this.#limits = limits
    this.openedAt = this.#movedAt = clock.now()
    const isFramed = this.protocol === 'websocket'
    this.#client = new TunnelSide(client, this, isFramed ? new FrameBoundary() : undefined)
    this.#backend = new TunnelSide(backend, this, isFramed ? new FrameBoundary() : undefined)
    this.#client.other = this.#backend
    this.#backend.other = this.#client
  }

  /** Bytes from the client to the backend. */
  get bytesSent(): number {
    return this.#client.bytes
  }

  /** Bytes from the backend to the client. */
  get bytesReceived(): number {
    return this.#backend.bytes
  }

  /** Begins to pass bytes on, first of all those that have already come. */
  start({ fromClient, fromBackend }: TunnelEnds): void {
    const { idle, maxAge } = this.#limits
    if (idle > 0) this.#watch(idle)
    if (maxAge > 0) this.#ageTimer = this.#clock.setTimeout(() => void this.shutDown('max-age'), maxAge)
    this.#backend.start(fromBackend)
    this.#client.start(fromClient)
  }

  /**
   * Closes it from here: a WebSocket gets a close frame 1001 after its current frame (RFC 6455 §7.4.1, "going away"), then
   * both sides are ended; what is not closed 2 s later is cut. Resolves once it is closed.
   */
  shutDown(reason: TunnelEnd): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#onClosed = resolve
      if (this.closedAt > 0) return resolve()
      this.closedBy ??= reason
      const isFramed = this.protocol === 'websocket'
      for (const side of [this.#client, this.#backend]) {
        if (isFramed) side.finish(goingAway(side === this.#client))
        else side.mute()
      }
      this.#rearm(grace, () => {
        for (const side of [this.#client, this.#backend]) side.mute()
        this.#rearm(grace, () => this.#cut())
      })
    })
    return this.#closing
  }

  onMoved(side: TunnelSide, bytes: number): void {
    this.#movedAt = this.#clock.now()
    const { backend } = this.purpose
    if (side === this.#client) {
      backend.bytesSent += bytes
      backend.tunnelBytesSent += bytes
    } else {
      backend.bytesReceived += bytes
      backend.tunnelBytesReceived += bytes
    }
  }

  onEnded(side: TunnelSide): void {
    this.closedBy ??= side === this.#client ? 'client' : 'backend'
    this.#movedAt = this.#clock.now()
    if (this.#closing === undefined && !side.other.hasEnded) this.#watch(this.#limits.linger)
  }

  onClosed(side: TunnelSide): void {
    const { other } = side
    this.closedBy ??= side === this.#client ? 'client' : 'backend'
    // One that has ended both ways may still have something to write to the other.
    const isWhole = side.hasEnded && other.hasEnded && !other.stream.errored
    if (!other.stream.closed) {
      if (!isWhole) cut(other.stream)
      return
    }
    this.#finish()
  }

  /** A view for people. */
  toJSON() {
    const { purpose, protocol, bytesSent, bytesReceived } = this
    const { id, backend, address, path } = purpose
    return {
      id,
      backend: backend.id,
      protocol,
      client: address,
      path,
      /** How long it has been open, in ms. */
      age: Math.round(this.#clock.now() - this.openedAt),
      bytesSent,
      bytesReceived,
    }
  }

  /** Ends it after this time without a byte (ms; 0 = never). */
  #watch(limit: number): void {
    const look = () => {
      const silence = this.#clock.now() - this.#movedAt
      if (silence < limit) return this.#rearm(limit - silence, look)
      void this.shutDown(this.#client.hasEnded || this.#backend.hasEnded ? 'linger' : 'idle')
    }
    if (limit > 0) this.#rearm(limit, look)
    else this.#clock.clearTimeout(this.#timer)
  }

  #rearm(delay: number, callback: () => void): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = this.#clock.setTimeout(callback, delay)
  }

  #cut(): void {
    cut(this.#client.stream)
    cut(this.#backend.stream)
  }

  #finish(): void {
    if (this.closedAt > 0) return
    this.closedAt = this.#clock.now()
    this.#clock.clearTimeout(this.#timer)
    this.#clock.clearTimeout(this.#ageTimer)
    this.purpose.onEnd()
    this.#onClosed?.()
  }
}
