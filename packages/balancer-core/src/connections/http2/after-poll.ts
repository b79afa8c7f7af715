/**
 * Calls back after what has arrived meanwhile was read: a process that was paused finds its timers due before it has looked
 * at its sockets, and must not take its own pause for the backend's.
 */
export function afterPoll(call: () => void): void {
  setImmediate(call)
}
