import type { Socket } from 'node:net'
import { LongPassage, type LongPassageOwner } from './long-passage.ts'
import { withoutContinue, type Interim } from './unasked-continue.ts'

/** Who uses the wire, and hears of what cannot be seen by reading responses. */
export interface WireOwner extends LongPassageOwner {
  /** A reset may be the end of this response, and not break it off: see `Wire`. */
  readonly endsByReset: boolean
  /** Bytes have come that no request had asked for: the socket has been destroyed. */
  onSurplus(): void
  /** A response may have a body: it is not one to HEAD. */
  readonly expectsBody: boolean
}

/** Where a socket keeps its wire. */
export const wireOf = Symbol('fastify-balancer.wire')
type Wired = Socket & { [wireOf]: Wire }
type Written = (error?: Error | null) => void
type Chunks = { chunk: string | Buffer; encoding: BufferEncoding }[]

/** Bytes that nobody had asked for. With undici's own code for a lost connection: what waits for this one gets another. */
class SurplusError extends Error {
  readonly code = 'UND_ERR_SOCKET'

  constructor() {
    super('the backend sent what was not asked for')
  }
}

/** With another code than the one that undici may take for an end. */
class ResetError extends Error {
  readonly code = 'UND_ERR_SOCKET'

  constructor(cause: Error) {
    super('the backend reset the connection', { cause })
  }
}

/** The other side has closed for good: what it had sent before can still be read. */
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
 * Stands between a socket to a backend and undici, by methods of the socket that are overridden once, when it is
 * connected. It sees to what undici's client gets wrong, or does not tell:
 * - an answer that has arrived counts, although the request could not be written to its end;
 * - bytes that come before a request was written are never the answer to it;
 * - `100 Continue` before the answer is no answer, whether it was asked for or not (RFC 9110 §15.2).
 */
export class Wire {
  /** Some of the request has been handed to the system. */
  written = false
  /** The other side does not read any more: nothing else can be sent. */
  broken = false
  /** Hears of `100 Continue`, while a request waits for it. */
  onContinue: (() => void) | undefined
  /** Changes the head of the next request as it is written. */
  changeHead: ((head: string) => string) | undefined
  readonly socket: Socket
  /** Of a long body, all but the last byte. */
  readonly long: LongPassage
  readonly #owner: WireOwner
  /** A request is under way. */
  #asked = false
  /** The head of the final response has begun: what comes belongs to it. */
  #answered = false
  /** The beginning of a head of which more is needed. */
  #held: Buffer | undefined
  /** Why the socket will be destroyed once everything that has arrived is read. */
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

  /** Can carry another request, as far as it is known. */
  get usable(): boolean {
    return !this.broken && this.#late === undefined && !this.socket.destroyed
  }

  /** No request is under way. */
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

  /** Its response is whole: whatever comes now has not been asked for. */
  end(): void {
    this.#asked = false
    this.#answered = false
    this.onContinue = undefined
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
    const text = changeHead === undefined || typeof chunk !== 'string' ? chunk : changeHead(chunk)
    this.#write.call(this.socket, text, encoding, this.#onWritten)
  }

  writeAll(chunks: Chunks, done: Written): void {
    this.written = true
    this.#written = done
    this.#writeAll.call(this.socket, chunks, this.#onWritten)
  }

  destroy(error?: Error): void {
    const isReset = error !== undefined && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (!isReset || !this.#asked || this.socket.destroyed) this.#destroy.call(this.socket, error)
    else if (this.socket.readableLength > 0) this.#late = error
    else this.#fail(error)
  }

  /** Of a body that ends with the connection, undici takes a reset for the end, which it is only after a refusal. */
  #fail(error: Error): void {
    const isCut = this.#answered && !this.#owner.endsByReset
    this.#destroy.call(this.socket, isCut ? new ResetError(error) : error)
  }

  #afterWrite(error?: Error | null): void {
    const written = this.#written
    if (error !== undefined && error !== null && isClosed(error)) {
      // Not told: the socket would be destroyed with what has arrived and was not read. Its readable side ends in any
      // case, after that, and this is what undici hears.
      this.broken = true
      return
    }
    this.#written = undefined
    written!(error)
  }

  /** What of this may be read as a response; undefined where nothing may, null where nothing else will. */
  #judge(chunk: Buffer): Buffer | null | undefined {
    if (!this.#asked || !this.written) {
      this.#destroy.call(this.socket, new SurplusError())
      this.#owner.onSurplus()
      return null
    }
    // The tenth byte is the first digit of the status. Nearly always, that is all there is to see.
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
