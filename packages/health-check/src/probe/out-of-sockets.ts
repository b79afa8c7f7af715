/** What the system says when this process, or this machine, has no more sockets or ports to give. */
const codes = new Set<unknown>(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])

/** `fetch` wraps what went wrong, and so do those who wrap `fetch`. */
const deepest = 4

/**
 * Did this process have no socket to ask with? That says nothing about whoever was to be asked. Of a name with several
 * addresses it must be so for all: where IPv6 is missing, one address always fails so, and the other tells the truth.
 */
export function isOutOfSockets(error: unknown): boolean {
  try {
    return isShort(error, 0)
  } catch {
    // A probe of the user's may throw anything, also what cannot be looked at.
    return false
  }
}

function isShort(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > deepest) return false
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown }
  if (Array.isArray(errors) && errors.length > 0) return errors.every((one) => isShort(one, depth + 1))
  return codes.has(code) || isShort(cause, depth + 1)
}
