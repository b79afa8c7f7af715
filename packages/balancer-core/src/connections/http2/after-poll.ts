/**
 * Calls back after data that has arrived meanwhile was read: after a pause of this process, timers run before sockets
 * are read, and its own pause must not count against the backend.
 */
export function afterPoll(call: () => void): void {
  setImmediate(call)
}
