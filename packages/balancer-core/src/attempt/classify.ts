import type { FailureReason } from '../failure.ts'

const dnsCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'EAI_FAIL', 'ENODATA', 'ESERVFAIL'])
/**
 * This process or machine has run out of file descriptors, memory for sockets, or local ports: any backend would fail
 * like this. (A local firewall or a missing IPv6 is not in the list: it concerns one address, and others may be
 * reachable.)
 */
const ownCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAI_MEMORY', 'EADDRNOTAVAIL', 'EADDRINUSE'])
const networkCodes = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ENETRESET',
  'EAFNOSUPPORT',
  'EPROTONOSUPPORT',
  'EINVAL',
  'EACCES',
  'EPERM',
  'ENOENT',
  // Of Unix sockets: too many wait to be accepted, and what is no such socket.
  'EAGAIN',
  'ENOTDIR',
  'EPROTOTYPE',
  'UND_ERR_SOCKET',
  'UND_ERR_ABORTED',
  'UND_ERR_INFO',
])
/** The connection broke because of the network. */
const brokenCodes = new Set(['UND_ERR_SOCKET', 'UND_ERR_INFO', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT'])
/** undici refuses to send it. */
const refusedCodes = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'])

/** What is known of an attempt when its error arrives. */
export interface AttemptProgress {
  /** The connection was open and the request was about to be written. */
  readonly started: boolean
  /** Response headers have arrived. */
  readonly responded: boolean
  /** The connection had served an earlier request. */
  readonly reused: boolean
  /** Part of the request has been sent; default: false. */
  readonly written?: boolean
  /** How long ago that was, in ms. */
  readonly sentFor?: number
  /** Round trip to the backend in ms, if known. */
  readonly roundTrip?: number
}

/**
 * How much later than one round trip we may notice that a connection has broken (ms), and the upper limit for the
 * measured round trip: it is measured while connecting, where a busy backend may be slow.
 */
const noticed = 50
const longestRoundTrip = 200

/**
 * A backend that closes a kept connection just when a request is on its way to it has not had that request: its FIN or
 * RST arrives within one round trip of our writing. A connection that breaks later was broken by a backend that had the
 * request.
 */
function isStale({ reused, written = false, sentFor = 0, roundTrip = 0 }: AttemptProgress): boolean {
  if (!reused) return false
  return !written || sentFor <= Math.min(roundTrip, longestRoundTrip) + noticed
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown }
  // For a name with several addresses the first error counts, except for errors of this machine.
  const telling = Array.isArray(errors) && ownCodes.has(code as string) ? errors.map(codeOf).find(isTelling) : undefined
  return telling ?? (typeof code === 'string' ? code : '')
}

function isTelling(code: string): boolean {
  return code !== '' && !ownCodes.has(code)
}

/** Maps an error of undici or of Node's sockets to its reason. Unknown errors are `bad-response`. */
export function classify(error: unknown, progress: AttemptProgress): FailureReason {
  const { started, responded } = progress
  const code = codeOf(error)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'drain-deadline'
  if (refusedCodes.has(code)) return 'request-refused'
  if (code === 'ERR_HTTP2_NO_EXTENDED_CONNECT') return 'upgrade-unsupported'
  if (ownCodes.has(code)) return 'out-of-sockets'
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'connect-timeout'
  // An HTTP/2 stream that is reset or refused does not mean that its connection is broken.
  if (code.startsWith('ERR_HTTP2_') && !responded) return 'reset-before-headers'
  if (!started) {
    if (code === 'ETIMEDOUT') return 'connect-timeout'
    if (code === 'ECONNREFUSED') return 'connect-refused'
    if (dnsCodes.has(code)) return ownCodes.has(codeOf((error as Error).cause)) ? 'out-of-sockets' : 'dns-failed'
    return networkCodes.has(code) ? 'connect-failed' : 'tls-failed'
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'response-header-too-large'
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'headers-timeout'
  if (code === 'UND_ERR_BODY_TIMEOUT') return 'body-timeout'
  if (responded) return code.startsWith('HPE_') ? 'bad-response' : 'body-truncated'
  // undici uses the code of a closed connection for "bad upgrade" and "bad response" too.
  const isBroken = brokenCodes.has(code) && !(error as Error).message.startsWith('bad ')
  if (!isBroken) return 'bad-response'
  return isStale(progress) ? 'stale-connection' : 'reset-before-headers'
}
