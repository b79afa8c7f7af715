const longestDescription = 200

/**
 * Describes an error in a few words: `connect ECONNREFUSED`, without the address, which is shown next to it. Never
 * throws: a user's probe may throw any value, and nobody would catch an error here.
 */
export function describe(error: unknown): string {
  try {
    return wordsOf(error)
  } catch {
    return 'an error that cannot be described'
  }
}

function wordsOf(error: unknown): string {
  // A name with several addresses: each has failed, and the aggregate error has no useful message.
  const one: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
  const { syscall, code, message } = (one ?? {}) as { syscall?: unknown; code?: unknown; message?: unknown }
  if (typeof syscall === 'string' && typeof code === 'string') return `${syscall} ${code}`
  const text = typeof message === 'string' && message !== '' ? message : typeof code === 'string' ? code : String(one)
  return text.length > longestDescription ? `${text.slice(0, longestDescription)}…` : text
}
