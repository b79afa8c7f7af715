import type { Socket } from 'node:net'

/** Who wants to hear that a connection has closed. */
interface Listener {
  onClose(): void
}

const waiting = new WeakMap<Socket, Set<Listener>>()

/**
 * A response that is pipelined behind another has no socket yet, and would not hear of its end. One listener serves all
 * of a connection.
 */
export function onSocketClose(socket: Socket, listener: Listener): void {
  const known = waiting.get(socket)
  if (known !== undefined) {
    known.add(listener)
    return
  }
  const listeners = new Set([listener])
  waiting.set(socket, listeners)
  socket.once('close', () => {
    for (const one of listeners) one.onClose()
  })
}

/** It has ended by itself. */
export function offSocketClose(socket: Socket, listener: Listener): void {
  waiting.get(socket)?.delete(listener)
}

const distrusted = new WeakSet<Socket>()

/** A malformed request was read from it: whatever seems to follow is not to be believed. */
export function distrust(socket: Socket): void {
  distrusted.add(socket)
}

/** Was one? */
export function isDistrusted(socket: Socket): boolean {
  return distrusted.has(socket)
}
