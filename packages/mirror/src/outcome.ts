/** How a copy can end: with a response, by its status; or with a failure. */
export const outcomes = [
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  'dns-failed',
  'connect-refused',
  'connect-timeout',
  'tls-failed',
  'reset',
  'bad-response',
  'bad-request',
  'timeout',
  'too-large',
  'closed',
] as const

/** See `outcomes`. */
export type CopyOutcome = (typeof outcomes)[number]

const dnsCodes = /^(?:ENOTFOUND|ENODATA|ESERVFAIL|EAI_)/

/** undici refuses to send it. */
const refusedCodes = /^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$/

/** What arrived is not HTTP, or not what its own head announces. */
const nonsenseCodes = /^(?:UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_)/

/** The outcome of a complete response. */
export function outcomeOfStatus(status: number): CopyOutcome {
  const kind = outcomes.find((outcome) => outcome === `${Math.floor(status / 100)}xx`)
  return kind ?? 'bad-response'
}

/** The outcome of a copy that has failed. `started`: there was a connection, and the copy was about to be written. */
export function outcomeOfError(error: unknown, started: boolean, isSecure: boolean): CopyOutcome {
  const { name, code = '', syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (refusedCodes.test(code)) return 'bad-request'
  if (started) return name === 'HTTPParserError' || nonsenseCodes.test(code) ? 'bad-response' : 'reset'
  if (dnsCodes.test(code)) return 'dns-failed'
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'connect-timeout'
  // Errors of TLS, unlike those of TCP, name no system call; several at once come from several addresses.
  return isSecure && syscall === undefined && !(error instanceof AggregateError) ? 'tls-failed' : 'connect-refused'
}

/** Was there no response that could be discarded as a whole? */
export function isFailure(outcome: CopyOutcome): boolean {
  return !/^\dxx$/.test(outcome) && outcome !== 'closed'
}
