/** Whose fault a failure is. Only `backend` may ever count against a backend. */
export type Blame = 'client' | 'backend' | 'proxy'

interface FailureKind {
  /** The status that the client gets. 499 (nginx's "client closed request") is only logged, never sent. */
  readonly status: number
  readonly blame: Blame
  /** Which retry rule applies: see `retry.ts`. */
  readonly retry: 'elsewhere' | 'fresh-connection' | 'never'
  /** What the client is told. Never names a backend. */
  readonly message: string
}

/**
 * Every way in which an exchange or an attempt can fail: the one place where a reason gets a status, a culprit and a
 * retry rule. The list is closed, laid out by phase, as HAProxy's termination states and YARP's `ForwarderError` are.
 */
export const failures = {
  // before a backend is chosen
  'bad-request': { status: 400, blame: 'client', retry: 'never', message: 'The request is malformed' },
  'unsupported-version': {
    status: 505,
    blame: 'client',
    retry: 'never',
    message: 'The version of the protocol is not supported',
  },
  'upgrade-with-body': {
    status: 400,
    blame: 'client',
    retry: 'never',
    message: 'A request to switch protocols must not have a body',
  },
  'upgrade-required': { status: 426, blame: 'client', retry: 'never', message: 'WebSocket is not supported here' },
  'rewrite-failed': { status: 500, blame: 'proxy', retry: 'never', message: 'The request could not be rewritten' },
  overloaded: { status: 503, blame: 'proxy', retry: 'never', message: 'Too many requests are in progress' },
  'no-backend': { status: 503, blame: 'proxy', retry: 'never', message: 'No backend is available' },
  'tunnels-full': { status: 503, blame: 'proxy', retry: 'never', message: 'Too many tunnels are open' },
  'queue-full': { status: 503, blame: 'proxy', retry: 'never', message: 'Too many requests are waiting' },
  'queue-timeout': { status: 503, blame: 'proxy', retry: 'never', message: 'No backend became free in time' },
  // connecting
  'dns-failed': { status: 502, blame: 'backend', retry: 'elsewhere', message: 'The backend could not be reached' },
  'connect-refused': { status: 502, blame: 'backend', retry: 'elsewhere', message: 'The backend could not be reached' },
  'connect-failed': { status: 502, blame: 'backend', retry: 'elsewhere', message: 'The backend could not be reached' },
  'connect-timeout': {
    status: 504,
    blame: 'backend',
    retry: 'elsewhere',
    message: 'The backend could not be reached in time',
  },
  'tls-failed': {
    status: 502,
    blame: 'backend',
    retry: 'elsewhere',
    message: 'The secure connection to the backend failed',
  },
  'out-of-sockets': { status: 503, blame: 'proxy', retry: 'elsewhere', message: 'Too many connections are open' },
  'continue-timeout': {
    status: 504,
    blame: 'proxy',
    retry: 'never',
    message: 'No backend connection was ready for the request body in time',
  },
  'upgrade-unsupported': { status: 502, blame: 'proxy', retry: 'elsewhere', message: 'The backend takes no tunnels' },
  // sending the request
  'request-refused': { status: 502, blame: 'proxy', retry: 'never', message: 'The request cannot be sent' },
  'upload-timeout': {
    status: 504,
    blame: 'backend',
    retry: 'never',
    message: 'The backend stopped reading the request',
  },
  'request-stalled': { status: 408, blame: 'client', retry: 'never', message: 'The client stopped sending' },
  // waiting for the response
  'stale-connection': {
    status: 502,
    blame: 'proxy',
    retry: 'fresh-connection',
    message: 'The backend closed a kept connection while the request was being sent',
  },
  'reset-before-headers': {
    status: 502,
    blame: 'backend',
    retry: 'elsewhere',
    message: 'The backend closed the connection',
  },
  'bad-response': {
    status: 502,
    blame: 'backend',
    retry: 'elsewhere',
    message: 'The backend sent an invalid response',
  },
  'upgrade-mismatch': {
    status: 502,
    blame: 'backend',
    retry: 'never',
    message: 'The backend switched to another protocol than was asked for',
  },
  'upgrade-key-mismatch': {
    status: 502,
    blame: 'backend',
    retry: 'never',
    message: 'The backend answered a WebSocket handshake wrongly',
  },
  'upgrade-ignored': { status: 501, blame: 'proxy', retry: 'never', message: 'WebSocket is not supported here' },
  'response-header-too-large': {
    status: 502,
    blame: 'proxy',
    retry: 'never',
    message: 'The response headers are too large',
  },
  'headers-timeout': {
    status: 504,
    blame: 'backend',
    retry: 'elsewhere',
    message: 'The backend did not respond in time',
  },
  // passing the response on
  'body-timeout': { status: 504, blame: 'backend', retry: 'never', message: 'The backend stopped sending' },
  'body-truncated': {
    status: 502,
    blame: 'backend',
    retry: 'never',
    message: 'The backend ended its response too early',
  },
  // at any time
  'request-timeout': { status: 504, blame: 'proxy', retry: 'never', message: 'The request took too long' },
  'drain-deadline': {
    status: 503,
    blame: 'proxy',
    retry: 'elsewhere',
    message: 'The backend was taken out of service',
  },
  'client-gone': { status: 499, blame: 'client', retry: 'never', message: 'The client closed the connection' },
  'client-stalled': { status: 499, blame: 'client', retry: 'never', message: 'The client stopped reading' },
} as const satisfies Record<string, FailureKind>

/** Why an attempt or an exchange failed. */
export type FailureReason = keyof typeof failures

/** How an attempt or an exchange ended. `ok` says that a response, of whatever status, was passed on whole. */
export type Outcome = 'ok' | FailureReason

/** Whose fault a failure is; undefined if it did not fail, or has not ended. */
export function blameOf(outcome: Outcome | undefined): Blame | undefined {
  return outcome === undefined || outcome === 'ok' ? undefined : failures[outcome].blame
}

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
