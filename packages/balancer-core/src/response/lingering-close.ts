import type { Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/**
 * How long (ms) input is read and dropped: in total, and without new data. nginx's `lingering_time` and
 * `lingering_timeout`.
 */
const longest = 30_000
const longestSilence = 5000
/** The limit (ms) once the app closes. */
const whenClosing = 1000
/** Most input (bytes) that is read and dropped. */
const maxDropped = 256 * 1024 * 1024

/** Lingering sockets, by server. */
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
  // Removes Node's HTTP parser: further input is not parsed.
  this.removeAllListeners('data').removeAllListeners('end')
  this.on('data', () => {
    if (this.bytesRead > max) this.destroy()
  })
  this.end()
  this.resume()
  // The parser had read directly from the handle; the stream still waits for that read and would not begin another.
  this.push('')
  this.read(0)
}

/**
 * For a client that is still sending when its connection ends with this response: its input is read and dropped for a
 * while. If the connection were closed with unread input, TCP would send a reset, which may overtake the response (RFC
 * 9112 §9.6).
 */
export function lingerAfter({ socket }: ServerResponse): void {
  // `inject` has no connection.
  if (socket instanceof Socket) socket.destroySoon = closeSlowly
}

/** The server is closing, and would wait for these sockets and for later ones. */
export function endLingering(server: Server): void {
  closing.add(server)
  for (const socket of lingering.get(server) ?? []) destroySoon(socket)
}
