import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { borrowerOf, type Borrower } from '../connections/http1/memory-reuse.ts'
import type { FrameBoundary } from './frame-boundary.ts'

/** Owner of a side: the tunnel. */
export interface SideOwner {
  /** So many bytes have come from this side. */
  onMoved(side: TunnelSide, bytes: number): void
  /** This side sends no more. */
  onEnded(side: TunnelSide): void
  /** This side is closed. */
  onClosed(side: TunnelSide): void
}

const sideOf = Symbol('fastify-balancer.tunnel-side')
type Sided = Duplex & { [sideOf]: TunnelSide; [borrowerOf]?: Borrower }

/** From so many bytes in one read on, copying them costs more than memory of its own (bytes). */
const large = 32_768

// oxlint-disable-next-line typescript/unbound-method -- it is compared
const { write } = Socket.prototype

/** TLS and HTTP/2 write later, and may keep what they get. */
function writesAtOnce(stream: Duplex): boolean {
  return stream instanceof Socket && !(stream instanceof TLSSocket) && stream.write === write
}

function onData(this: Sided, chunk: Buffer): void {
  this[sideOf].receive(chunk)
}

function onDrain(this: Sided): void {
  this[sideOf].other.stream.resume()
}

function onEnd(this: Sided): void {
  this[sideOf].end()
}

function onClose(this: Sided): void {
  const side = this[sideOf]
  side.owner.onClosed(side)
}

/** The close event, which follows, tells what the error means. */
function onError(): void {}

/** One end of a tunnel: what comes from it is written to the other end, no faster than that one reads. */
export class TunnelSide implements Borrower {
  readonly stream: Duplex
  readonly owner: SideOwner
  other!: TunnelSide
  /** Bytes that have come from this side. */
  bytes = 0
  /** It sends no more. */
  hasEnded = false
  /** Set where what comes from this side consists of WebSocket frames. */
  readonly #frames: FrameBoundary | undefined
  /** The last frame for the other side, which follows the current one. */
  #last: Uint8Array | undefined
  /** The other side gets no more of what comes from this one. */
  #isMuted = false
  /** The last read brought much. */
  #isBusy = false

  constructor(stream: Duplex, owner: SideOwner, frames: FrameBoundary | undefined) {
    this.stream = stream
    this.owner = owner
    this.#frames = frames
    ;(stream as Sided)[sideOf] = this
  }

  get borrows(): boolean {
    const { readableFlowing, readableLength, destroyed } = this.stream
    return (
      this.#isBusy && readableFlowing === true && readableLength === 0 && !destroyed && writesAtOnce(this.other.stream)
    )
  }

  /** What the kernel has taken no longer needs its memory. */
  borrow(bytes: Buffer): boolean {
    this.receive(bytes)
    return this.other.stream.writableLength === 0
  }

  /** Begins to pass on what comes, and first of all what has come before. */
  start(early: readonly Buffer[]): void {
    const { stream } = this
    stream.on('data', onData).on('drain', onDrain).on('end', onEnd).on('close', onClose).on('error', onError)
    for (const chunk of early) this.receive(chunk)
    ;(stream as Sided)[borrowerOf] = this
    if (stream.readableEnded) this.end()
    else if (!this.other.stream.writableNeedDrain) stream.resume()
    if (stream.closed) this.owner.onClosed(this)
  }

  /** These bytes have come. */
  receive(chunk: Buffer): void {
    this.bytes += chunk.length
    this.#isBusy = chunk.length >= large
    this.owner.onMoved(this, chunk.length)
    if (this.#isMuted) return
    if (this.#last !== undefined) return this.#pass(chunk.subarray(0, this.#frames!.followToEnd(chunk)))
    this.#frames?.follow(chunk)
    this.#pass(chunk)
  }

  /** It sends no more: nor will the other side get anything more. */
  end(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.mute()
    this.owner.onEnded(this)
  }

  /** The other side gets no more from now on. */
  mute(): void {
    this.#isMuted = true
    const { stream } = this.other
    if (!stream.writableEnded) stream.end()
    // What still comes is read and dropped, so that its end is noticed.
    this.stream.resume()
  }

  /** The other side gets this frame after the current one, and no more after that. */
  finish(frame: Uint8Array): void {
    if (this.#isMuted) return
    this.#last = frame
    this.#finishBetween()
  }

  #pass(chunk: Uint8Array): void {
    const { stream } = this.other
    if (chunk.length > 0 && !stream.writableEnded && !stream.write(chunk)) this.stream.pause()
    this.#finishBetween()
  }

  #finishBetween(): void {
    if (this.#last === undefined || this.#isMuted || this.#frames?.isBetween !== true) return
    const { stream } = this.other
    if (!stream.writableEnded) stream.write(this.#last)
    this.mute()
  }
}
