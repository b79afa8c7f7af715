import type { Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** How long (ms) input is read and dropped in all, and at least if there is none: nginx's `lingering_time` and `lingering_timeout`. */
const longest = 30_000
const longestSilence = 5000
/** So long (ms) once the app closes. */
const whenClosing = 1000
/** More than this (bytes) is not read only to be dropped. */
const maxDropped = 256 * 1024 * 1024

/** Sockets that are only read from, by their server. */
const lingering = new WeakMap<object, Set<Socket>>()
/** Servers that are closing. */
const closing = new WeakSet<object>()

function destroySoon(socket: Socket): void {
  setTimeout(() => socket.destroy(), whenClosing).unref()
}

/** In place of `socket.destroySoon`, which Node calls once a response that says `connection: close` has been sent. */
function closeSlowly(this: Socket & { server?: object }): void {
  if (this.destroyed) return
  let read = this.bytesRead
  const max = read + maxDropped
  let left = longest
  const looks = setInterval(() => {
    left -= longestSilence
    if (left <= 0 || this.bytesRead === read) this.destroy()
    read = this.bytesRead
  }, longestSilence).unref()
  const server = this.server ?? this
  let siblings = lingering.get(server)
  if (siblings === undefined) lingering.set(server, (siblings = new Set()))
  siblings.add(this)
  if (closing.has(server)) destroySoon(this)
  this.once('close', () => {
    clearInterval(looks)
    siblings.delete(this)
  })
  // Node's own listeners are its HTTP parser: whatever follows is not looked at any more.
  this.removeAllListeners('data').removeAllListeners('end')
  this.on('data', () => {
    if (this.bytesRead > max) this.destroy()
  })
  this.end()
  this.resume()
  // The parser had read past the stream, which still waits for a first read to end and would begin no other.
  this.push('')
  this.read(0)
}

/**
 * The client is still sending, and its connection ends with this response: input is read and dropped for a while. If it
 * were closed with input unread, TCP would send a reset, which may overtake the response (RFC 9112 §9.6).
 */
export function lingerAfter({ socket }: ServerResponse): void {
  // What `inject` asks has no connection.
  if (socket instanceof Socket) socket.destroySoon = closeSlowly
}

/** The server closes, and would wait for these, and for those that are only now told to end. */
export function endLingering(server: Server): void {
  closing.add(server)
  for (const socket of lingering.get(server) ?? []) destroySoon(socket)
}
