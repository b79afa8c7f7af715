/** Error codes for a process or machine that has run out of sockets or ports. */
const codes = new Set<unknown>(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])

/** `fetch` wraps errors, and so do its wrappers. */
const deepest = 4

/**
 * Did this process have no socket for the probe? Then the result does not count. With several addresses, all of them
 * must have failed like this: without IPv6, one address always does, and the other one decides.
 */
export function isOutOfSockets(error: unknown): boolean {
  try {
    return isShort(error, 0)
  } catch {
    // A user's probe may throw any value, even one that cannot be inspected.
    return false
  }
}

function isShort(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > deepest) return false
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown }
  if (Array.isArray(errors) && errors.length > 0) return errors.every((one) => isShort(one, depth + 1))
  return codes.has(code) || isShort(cause, depth + 1)
}
