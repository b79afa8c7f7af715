import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { buildConnector, errors, type Dispatcher } from 'undici'
import type { Connect, ConnectionRequest } from '../connect.ts'
import type { ConnectionAware } from '../request-pool.ts'
import { toFields } from '../../headers/fields.ts'

/** The type of headers in undici's handler. */
type Received = Record<string, string | string[]>

/** How to reach the backend. */
export interface HandshakeSettings {
  readonly url: URL
  readonly connect: Connect
  /** The largest header of a response, in bytes. */
  readonly maxHeaderSize: number
  /** It is over: refused, failed, or the connection belongs to a tunnel. */
  onOver(handshake: Handshake): void
}

/** The error in the words of undici. */
function translated(error: Error & { code?: string }): Error {
  return error.code === 'HPE_HEADER_OVERFLOW' ? new errors.HeadersOverflowError() : error
}

/**
 * Asks one backend to switch protocols, over HTTP/1.1, and reports to its handler as undici does: the socket after a 101,
 * any other response whole. undici's own client would cost twice the memory for as long as the tunnel is open, throws for
 * a 101 without `Upgrade`, and fails after a 100.
 */
export class Handshake implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly #settings: HandshakeSettings
  readonly #options: ConnectionRequest
  readonly #handler: ConnectionAware
  #socket: Socket | undefined
  #response: IncomingMessage | undefined
  #isOver = false

  constructor(settings: HandshakeSettings, options: ConnectionRequest, handler: ConnectionAware) {
    this.#settings = settings
    this.#options = options
    this.#handler = handler
  }

  /** Opens a connection, and asks. */
  begin(): void {
    const { url, connect } = this.#settings
    // So that it can be cancelled while it connects.
    this.#handler.controller = this
    const { host, protocol, port } = url
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const onConnect: buildConnector.Callback = (...[error, socket]) => {
      if (error !== null) this.#fail(error)
      else if (this.#isOver) socket.destroy()
      else this.#ask(socket)
    }
    try {
      this.#socket = connect({ host, hostname, protocol, port }, onConnect)
    } catch (error) {
      process.nextTick(() => this.#fail(error as Error))
    }
  }

  pause(): void {
    this.paused = true
    this.#response?.pause()
  }

  resume(): void {
    this.paused = false
    this.#response?.resume()
  }

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.#fail(reason)
  }

  #ask(socket: Socket): void {
    this.#socket = socket
    this.#handler.onRequestStart?.(this, undefined)
    if (this.#isOver) return
    let asking: ClientRequest
    try {
      const { method, path, headers } = this.#options
      const { maxHeaderSize } = this.#settings
      asking = httpRequest({
        createConnection: () => socket,
        method,
        path,
        headers: headers as string[],
        maxHeaderSize,
      })
    } catch (error) {
      return this.#fail(new errors.InvalidArgumentError((error as Error).message))
    }
    asking.on('information', ({ statusCode, rawHeaders }) => {
      // Without `Upgrade`, Node takes it for one of the interim responses.
      if (statusCode === 101) this.#switch(rawHeaders, socket, Buffer.alloc(0))
      else if (!this.#isOver) this.#handler.onResponseStart?.(this, statusCode, toFields(rawHeaders) as Received)
    })
    asking.on('upgrade', ({ rawHeaders }, _socket, head) => this.#switch(rawHeaders, socket, head))
    asking.on('response', (response) => {
      // Without `Upgrade`, or without `Connection: Upgrade`, which makes that field mean anything.
      if (response.statusCode === 101) this.#switch([], socket, Buffer.alloc(0))
      else this.#respond(response)
    })
    asking.on('error', (error) => this.#fail(translated(error)))
    asking.on('close', () => this.#fail(new errors.SocketError('the backend closed the connection')))
    asking.end()
    this.#handler.onRequestSent()
  }

  #switch(rawHeaders: string[], socket: Socket, head: Buffer): void {
    if (this.#isOver) return
    // When the backend ends its side, the client may still have something to say.
    socket.allowHalfOpen = true
    this.#handler.onUpgrade(101, toFields(rawHeaders) as Received, socket, head)
    // If it was not accepted, it was aborted.
    if (!this.#isOver) this.#end()
  }

  #respond(response: IncomingMessage): void {
    if (this.#isOver) return
    const handler = this.#handler
    this.#response = response
    response.on('error', (error) => this.#fail(error))
    this.#guarded(() =>
      handler.onResponseStart?.(this, response.statusCode!, toFields(response.rawHeaders) as Received),
    )
    if (this.#isOver) return
    response.on('data', (chunk: Buffer) => {
      if (!this.#isOver) this.#guarded(() => handler.onResponseData?.(this, chunk))
    })
    response.on('end', () => {
      if (this.#isOver) return
      if (!response.complete) return this.#fail(new errors.SocketError('the backend closed the connection'))
      this.#end()
      this.#socket!.destroy()
      handler.onResponseEnd?.(this, toFields(response.rawTrailers) as Received)
    })
    if (this.paused) response.pause()
  }

  /** As undici does it: what the handler throws fails its request. */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #fail(error: Error): void {
    if (this.#isOver) return
    this.#end()
    this.#socket?.destroy()
    this.#handler.onResponseError?.(this, error)
  }

  #end(): void {
    this.#isOver = true
    this.#settings.onOver(this)
  }
}
