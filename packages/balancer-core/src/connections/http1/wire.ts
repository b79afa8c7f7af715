import type { Socket } from 'node:net'
import { LongPassage, type LongPassageOwner } from './long-passage.ts'
import type { TrailerSection } from '../trailer-section.ts'
import { withoutContinue, type Interim } from './unasked-continue.ts'

/** User of the wire: told of events that reading responses does not show. */
export interface WireOwner extends LongPassageOwner {
  /** True if a reset may be the regular end of this response: see `Wire`. */
  readonly endsByReset: boolean
  /** Surplus bytes arrived: the socket has been destroyed. */
  onSurplus(): void
  /** A response may have a body: it is not one to HEAD. */
  readonly expectsBody: boolean
}

/** Where a socket keeps its wire. */
export const wireOf = Symbol('fastify-balancer.wire')
type Wired = Socket & { [wireOf]: Wire }
type Written = (error?: Error | null) => void
type Chunks = { chunk: string | Buffer; encoding: BufferEncoding }[]

/** Surplus bytes. With undici's code for a lost connection, so that a request waiting for this one gets another. */
class SurplusError extends Error {
  readonly code = 'UND_ERR_SOCKET'

  constructor() {
    super('the backend sent surplus bytes')
  }
}

/** With a code that undici does not take for the end of a response. */
class ResetError extends Error {
  readonly code = 'UND_ERR_SOCKET'

  constructor(cause: Error) {
    super('the backend reset the connection', { cause })
  }
}

/** The other side has closed: data that it had sent before can still be read. */
function isClosed(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ECONNABORTED'
}

function read(this: Wired, size?: number): Buffer | null {
  return this[wireOf].read(size)
}

function write(this: Wired, chunk: string | Buffer, encoding: BufferEncoding, done: Written): void {
  this[wireOf].write(chunk, encoding, done)
}

function writeAll(this: Wired, chunks: Chunks, done: Written): void {
  this[wireOf].writeAll(chunks, done)
}

function destroy(this: Wired, error?: Error): Wired {
  this[wireOf].destroy(error)
  return this
}

/**
 * Sits between a socket to a backend and undici, by overriding methods of the socket once, when it is connected. It
 * corrects what undici's client gets wrong, or does not report:
 * - a response that has arrived counts, even if the request could not be written completely;
 * - bytes that arrive before a request was written are never its response;
 * - `100 Continue` is not the final response, whether it was asked for or not (RFC 9110 §15.2).
 */
export class Wire {
  /** Part of the request has been handed to the system. */
  written = false
  /** The other side no longer reads: nothing more can be sent. */
  broken = false
  /** Listener for `100 Continue`, while a request waits for it. */
  onContinue: (() => void) | undefined
  /** Changes the head of the next request as it is written. */
  changeHead: ((head: string) => string) | undefined
  /** Adds trailers to the body of the current request, if it may have any. */
  trailers: TrailerSection | undefined
  readonly socket: Socket
  /** Of a long body, all but the last byte. */
  readonly long: LongPassage
  readonly #owner: WireOwner
  /** A request is in progress. */
  #asked = false
  /** The final response has begun: further bytes belong to it. */
  #answered = false
  /** The beginning of an incomplete head. */
  #held: Buffer | undefined
  /** The error with which the socket will be destroyed once all received data is read. */
  #late: Error | undefined
  #written: Written | undefined
  readonly #onWritten = (error?: Error | null) => this.#afterWrite(error)
  readonly #read: (size?: number) => Buffer | null
  readonly #write: (chunk: string | Buffer, encoding: BufferEncoding, done: Written) => void
  readonly #writeAll: (chunks: Chunks, done: Written) => void
  readonly #destroy: (error?: Error) => void

  constructor(socket: Socket, owner: WireOwner) {
    this.socket = socket
    this.long = new LongPassage(socket, owner)
    this.#owner = owner
    /* oxlint-disable typescript/unbound-method -- they are called on this socket alone */
    this.#read = socket.read
    this.#write = socket._write
    this.#writeAll = socket._writev!
    this.#destroy = socket.destroy
    /* oxlint-enable typescript/unbound-method */
    Object.assign(socket, { [wireOf]: this, read, _write: write, _writev: writeAll, destroy })
  }

  /** True if it can take another request, as far as is known. */
  get usable(): boolean {
    return !this.broken && this.#late === undefined && !this.socket.destroyed
  }

  /** True if no request is in progress. */
  get idle(): boolean {
    return !this.#asked
  }

  /** A request is about to be written. */
  begin(): void {
    this.#asked = true
    this.#answered = false
    this.#held = undefined
    this.written = false
    this.long.length = undefined
  }

  /** Its response is complete: any further bytes are surplus. */
  end(): void {
    this.#asked = false
    this.#answered = false
    this.onContinue = undefined
    this.trailers = undefined
    this.long.end()
  }

  read(size?: number): Buffer | null {
    for (;;) {
      if (this.long.isHeldUp) return null
      const chunk = this.#read.call(this.socket, size)
      if (chunk === null) {
        if (this.#late !== undefined && this.socket.readableLength === 0) this.#fail(this.#late)
        return null
      }
      if (this.long.left > 0) this.long.pass(chunk)
      else if (this.#answered) return chunk
      else {
        const passed = this.#judge(chunk)
        if (passed !== undefined) return passed
      }
    }
  }

  write(chunk: string | Buffer, encoding: BufferEncoding, done: Written): void {
    this.written = true
    this.#written = done
    const { changeHead } = this
    this.changeHead = undefined
    let text = changeHead === undefined || typeof chunk !== 'string' ? chunk : changeHead(chunk)
    if (this.trailers !== undefined) text = this.trailers.change(text)
    this.#write.call(this.socket, text, encoding, this.#onWritten)
  }

  writeAll(chunks: Chunks, done: Written): void {
    this.written = true
    this.#written = done
    const { trailers } = this
    if (trailers !== undefined) for (const one of chunks) one.chunk = trailers.change(one.chunk)
    this.#writeAll.call(this.socket, chunks, this.#onWritten)
  }

  destroy(error?: Error): void {
    const isReset = error !== undefined && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (!isReset || !this.#asked || this.socket.destroyed) this.#destroy.call(this.socket, error)
    else if (this.socket.readableLength > 0) this.#late = error
    else this.#fail(error)
  }

  /**
   * For a body that ends with the connection, undici takes a reset for the end; that is right only for an early
   * response to an upload.
   */
  #fail(error: Error): void {
    const isCut = this.#answered && !this.#owner.endsByReset
    this.#destroy.call(this.socket, isCut ? new ResetError(error) : error)
  }

  #afterWrite(error?: Error | null): void {
    const written = this.#written
    if (error !== undefined && error !== null && isClosed(error)) {
      // The error is not passed on: it would destroy the socket with unread data. The readable side ends afterwards
      // anyway, and that is what undici sees.
      this.broken = true
      return
    }
    this.#written = undefined
    written!(error)
  }

  /** The part that may be read as a response; undefined = nothing yet, null = nothing more. */
  #judge(chunk: Buffer): Buffer | null | undefined {
    if (!this.#asked || !this.written) {
      this.#destroy.call(this.socket, new SurplusError())
      this.#owner.onSurplus()
      return null
    }
    // The tenth byte is the first digit of the status. Nearly always, checking it is enough.
    if (this.#held === undefined && chunk.length > 9 && chunk[9] !== 0x31 /* 1 */) {
      this.#answered = true
      return this.#owner.expectsBody ? this.long.begin(chunk) : chunk
    }
    const interim: Interim = withoutContinue(this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]))
    this.#held = interim.held
    this.#answered = interim.answered
    if (interim.continues) this.onContinue?.()
    return interim.passed
  }
}
