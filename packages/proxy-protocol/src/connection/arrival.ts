// Room `connection`: one connection from when it is taken until a server of HTTP gets it.
import type { Socket } from 'node:net'
import { appear } from './appearance.ts'
import { protocolOf, type Protocol } from './protocol.ts'
import { readHeader } from '../header/read-header.ts'
import { HeaderFault, type Header } from '../header/header.ts'

/** What happens to a connection that has arrived. */
export interface ArrivalOwner {
  /** Time limits (ms): for the header, and after that for the first byte of the client. */
  readonly limits: { readonly header: number; readonly first: number }
  /** Its first bytes have been read, and given back to it. `header` is what they began with, if its peer had to. */
  onArrived(socket: Socket, protocol: Protocol, header: Header | undefined): void
  /** It is closed because of its header. */
  onFault(socket: Socket, fault: string): void
}

/** A connection of which the first bytes are awaited: the header, if its peer must send one, and the client's. */
export class Arrival {
  readonly #socket: Socket
  readonly #owner: ArrivalOwner
  #needsHeader: boolean
  #header: Header | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, needsHeader: boolean, owner: ArrivalOwner) {
    this.#socket = socket
    this.#needsHeader = needsHeader
    this.#owner = owner
  }

  begin(): void {
    const { header, first } = this.#owner.limits
    this.#limit(this.#needsHeader ? header : first)
    this.#socket.on('readable', this.#read)
    this.#socket.on('end', this.#leave)
    this.#socket.on('error', this.#leave)
    this.#socket.on('close', this.#stop)
  }

  readonly #read = (): void => {
    for (let chunk; (chunk = this.#socket.read() as Buffer | null) !== null;)
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    if (this.#needsHeader && !this.#takeHeader()) return
    const protocol = protocolOf(this.#bytes)
    if (protocol === undefined) return
    this.#stop()
    // Now it has other listeners for this.
    this.#socket.off('error', this.#leave)
    this.#socket.unshift(this.#bytes)
    this.#owner.onArrived(this.#socket, protocol, this.#header)
  }

  /** Reads the header, if it is whole. */
  #takeHeader(): boolean {
    try {
      this.#header = readHeader(this.#bytes)
    } catch (error) {
      if (!(error instanceof HeaderFault)) throw error
      this.#fail(error.message)
      return false
    }
    if (this.#header === undefined) return false
    const { length, ends } = this.#header
    this.#bytes = this.#bytes.subarray(length)
    if (ends !== undefined) appear(this.#socket, ends)
    this.#needsHeader = false
    this.#limit(this.#owner.limits.first)
    return true
  }

  #limit(duration: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#needsHeader) this.#fail('its PROXY protocol header was not whole in time')
      else this.#leave()
    }, duration).unref()
  }

  #fail(fault: string): void {
    this.#owner.onFault(this.#socket, fault)
    this.#leave()
  }

  /** The other end has gone, or has to. */
  readonly #leave = (): void => {
    this.#stop()
    this.#socket.destroy()
  }

  readonly #stop = (): void => {
    clearTimeout(this.#timer)
    this.#socket.off('readable', this.#read)
    this.#socket.off('end', this.#leave)
    this.#socket.off('close', this.#stop)
  }
}
