/** Whose fault a failure is. Only `backend` may ever count against a backend. */
export type Blame = 'client' | 'backend' | 'proxy'

interface FailureKind {
  /** The status that the client gets. 499 (nginx's "client closed request") is only logged, never sent. */
  readonly status: number
  readonly blame: Blame
  /** Which retry rule applies: see `retry.ts`. `anywhere`: also at the same backend, where there is no other. */
  readonly retry: 'anywhere' | 'elsewhere' | 'fresh-connection' | 'never'
  /** What the client is told. Never names a backend. */
  readonly message: string
}

const insecure = 'The secure connection to the backend failed'

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
  'queue-shed': { status: 503, blame: 'proxy', retry: 'never', message: 'The request has waited too long in overload' },
  'queue-timeout': { status: 503, blame: 'proxy', retry: 'never', message: 'No backend became free in time' },
  // connecting
  'dns-failed': { status: 502, blame: 'backend', retry: 'elsewhere', message: 'The backend could not be reached' },
  'connect-refused': { status: 502, blame: 'backend', retry: 'anywhere', message: 'The backend could not be reached' },
  'connect-failed': { status: 502, blame: 'backend', retry: 'anywhere', message: 'The backend could not be reached' },
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
    message: insecure,
  },
  // of its certificate: expired or not valid yet, of no trusted CA, for another name, without a pin; and it refuses ours
  'tls-certificate-expired': { status: 502, blame: 'backend', retry: 'elsewhere', message: insecure },
  'tls-certificate-untrusted': { status: 502, blame: 'backend', retry: 'elsewhere', message: insecure },
  'tls-name-mismatch': { status: 502, blame: 'backend', retry: 'elsewhere', message: insecure },
  'tls-pin-mismatch': { status: 502, blame: 'backend', retry: 'elsewhere', message: insecure },
  'tls-client-certificate-refused': { status: 502, blame: 'backend', retry: 'elsewhere', message: insecure },
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
    retry: 'anywhere',
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
  'client-deadline': { status: 408, blame: 'client', retry: 'never', message: 'The deadline of the client has passed' },
  'stream-timeout': {
    status: 504,
    blame: 'proxy',
    retry: 'never',
    message: 'Nothing was sent in either direction for too long',
  },
  'drain-deadline': {
    status: 503,
    blame: 'proxy',
    retry: 'elsewhere',
    message: 'The backend was taken out of service',
  },
  // Only of an attempt, never of a request.
  'hedge-lost': { status: 503, blame: 'proxy', retry: 'never', message: 'Another attempt responded first' },
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
