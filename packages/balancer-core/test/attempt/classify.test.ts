import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errors } from 'undici'
import { classify, type AttemptProgress } from '../../src/attempt/classify.ts'
import { failures, type FailureReason } from '../../src/failure.ts'

/** An error as Node's sockets make it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })
}

/** An error as Node makes it when every address of a name has failed. */
function aggregateError(code: string): Error {
  return Object.assign(new AggregateError([systemError(code), systemError(code)]), { code })
}

const phases = {
  /** No connection yet. */
  connecting: { started: false, responded: false, reused: false },
  /** Sent over a new connection; no response yet. */
  waiting: { started: true, responded: false, reused: false },
  /** Sent over a connection that had served before. */
  again: { started: true, responded: false, reused: true },
  /** Headers have arrived. */
  responding: { started: true, responded: true, reused: false },
} satisfies Record<string, AttemptProgress>

type Reasons = readonly [
  connecting: FailureReason,
  waiting: FailureReason,
  again: FailureReason,
  responding: FailureReason,
]

function check(name: string, error: unknown, reasons: Reasons): void {
  for (const [index, [phase, progress]] of Object.entries(phases).entries()) {
    test(`${name}, ${phase}: ${reasons[index]}`, () => assert.equal(classify(error, progress), reasons[index]))
  }
}

const broken = ['reset-before-headers', 'stale-connection', 'body-truncated'] as const
const garbled = ['bad-response', 'bad-response', 'bad-response'] as const
const cutShort = ['bad-response', 'bad-response', 'body-truncated'] as const

describe('an error of a socket', () => {
  check('ECONNREFUSED', systemError('ECONNREFUSED'), ['connect-refused', ...cutShort])
  check('ECONNREFUSED of every address', aggregateError('ECONNREFUSED'), ['connect-refused', ...cutShort])
  check('ECONNRESET', systemError('ECONNRESET'), ['connect-failed', ...broken])
  check('EPIPE', systemError('EPIPE'), ['connect-failed', ...broken])
  // Once connected, it is the kernel that has given up on a peer that went silent; nobody is connecting.
  check('ETIMEDOUT', systemError('ETIMEDOUT'), ['connect-timeout', ...broken])
  for (const code of [
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENETDOWN',
    'EHOSTDOWN',
    'EACCES',
    'EPERM',
    'EAFNOSUPPORT',
    'EPROTONOSUPPORT',
    'EINVAL',
    'ENETRESET',
    'ENOENT',
    'ECONNABORTED',
  ]) {
    test(`${code}, connecting: connect-failed`, () => {
      assert.equal(classify(systemError(code), phases.connecting), 'connect-failed')
    })
  }
})

describe('what this process or machine has run out of', () => {
  const ours = ['out-of-sockets', 'out-of-sockets', 'out-of-sockets', 'out-of-sockets'] as const
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAI_MEMORY', 'EADDRNOTAVAIL', 'EADDRINUSE']) {
    check(code, systemError(code), ours)
    check(`${code} of every address`, aggregateError(code), ours)
  }

  test('a look-up that failed for want of it is ours, too', () => {
    const error = Object.assign(systemError('EAI_AGAIN'), { cause: systemError('EMFILE') })
    assert.equal(classify(error, phases.connecting), 'out-of-sockets')
  })

  test('of several addresses, one that has failed otherwise says more', () => {
    for (const codes of [
      ['EADDRNOTAVAIL', 'ECONNREFUSED'],
      ['ECONNREFUSED', 'EADDRNOTAVAIL'],
    ]) {
      const error = Object.assign(new AggregateError(codes.map(systemError)), { code: codes[0] })
      assert.equal(classify(error, phases.connecting), 'connect-refused')
    }
  })
})

test('ETIMEDOUT of every address, connecting: connect-timeout', () => {
  assert.equal(classify(aggregateError('ETIMEDOUT'), phases.connecting), 'connect-timeout')
})

describe('an error of name look-up', () => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'EAI_FAIL', 'ENODATA', 'ESERVFAIL']) {
    test(`${code}: dns-failed`, () => assert.equal(classify(systemError(code), phases.connecting), 'dns-failed'))
  }
})

describe('an error of TLS', () => {
  for (const code of [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'EPROTO',
  ]) {
    test(`${code}: tls-failed`, () => assert.equal(classify(systemError(code), phases.connecting), 'tls-failed'))
  }
})

describe('an error of undici', () => {
  check('ConnectTimeoutError', new errors.ConnectTimeoutError(), [
    'connect-timeout',
    'connect-timeout',
    'connect-timeout',
    'connect-timeout',
  ])
  check('SocketError', new errors.SocketError('other side closed'), ['connect-failed', ...broken])
  check('InformationalError', new errors.InformationalError('socket idle timeout'), ['connect-failed', ...broken])
  check('SocketError for a 100 that nobody asked for', new errors.SocketError('bad response'), [
    'connect-failed',
    'bad-response',
    'bad-response',
    'body-truncated',
  ])
  check('SocketError for an upgrade that nobody asked for', new errors.SocketError('bad upgrade'), [
    'connect-failed',
    'bad-response',
    'bad-response',
    'body-truncated',
  ])
  check('ClientDestroyedError', new errors.ClientDestroyedError(), [
    'drain-deadline',
    'drain-deadline',
    'drain-deadline',
    'drain-deadline',
  ])
  check('ClientClosedError', new errors.ClientClosedError(), [
    'drain-deadline',
    'drain-deadline',
    'drain-deadline',
    'drain-deadline',
  ])

  test('HeadersTimeoutError: headers-timeout', () => {
    assert.equal(classify(new errors.HeadersTimeoutError(), phases.waiting), 'headers-timeout')
    assert.equal(classify(new errors.HeadersTimeoutError(), phases.again), 'headers-timeout')
  })

  test('BodyTimeoutError: body-timeout', () => {
    assert.equal(classify(new errors.BodyTimeoutError(), phases.responding), 'body-timeout')
  })

  test('HTTPParserError: bad-response, before and after headers', () => {
    // The types of undici do not know the second argument.
    const ParserError = errors.HTTPParserError as unknown as new (message: string, code: string) => Error
    const error = new ParserError('Invalid header token', 'INVALID_HEADER_TOKEN')
    assert.ok('code' in error && error.code === 'HPE_INVALID_HEADER_TOKEN')
    for (const [index, progress] of [phases.waiting, phases.again, phases.responding].entries()) {
      assert.equal(classify(error, progress), garbled[index])
    }
  })

  test('HeadersOverflowError: response-header-too-large', () => {
    assert.equal(classify(new errors.HeadersOverflowError(), phases.waiting), 'response-header-too-large')
  })

  test('ResponseContentLengthMismatchError: body-truncated', () => {
    assert.equal(classify(new errors.ResponseContentLengthMismatchError(), phases.responding), 'body-truncated')
  })

  test('ResponseExceededMaxSizeError: body-truncated', () => {
    assert.equal(classify(new errors.ResponseExceededMaxSizeError(), phases.responding), 'body-truncated')
  })

  test('InvalidArgumentError and NotSupportedError: request-refused, which no backend is to blame for', () => {
    assert.equal(classify(new errors.InvalidArgumentError('invalid header'), phases.connecting), 'request-refused')
    assert.equal(classify(new errors.NotSupportedError('expect header'), phases.connecting), 'request-refused')
  })

  test('RequestContentLengthMismatchError: request-refused, whether a byte was sent or not', () => {
    // undici compares a Buffer's length before it writes, that of a stream while it writes.
    const error = new errors.RequestContentLengthMismatchError()
    assert.equal(classify(error, phases.connecting), 'request-refused')
    assert.equal(classify(error, phases.waiting), 'request-refused')
    assert.equal(classify(error, phases.again), 'request-refused')
  })
})

describe('an error that nobody has foreseen', () => {
  for (const [name, error] of [
    ['without a code', new Error('what?')],
    ['with a code that is a number', Object.assign(new Error('what?'), { code: 42 })],
    ['of another code', systemError('EWHATEVER')],
    ['that is a string', 'what?'],
    ['that is null', null],
    ['that is undefined', undefined],
  ] as const) {
    test(`${name} is put down to the backend's response once the request was sent`, () => {
      assert.equal(classify(error, phases.waiting), 'bad-response')
      assert.equal(classify(error, phases.again), 'bad-response')
      assert.equal(classify(error, phases.responding), 'body-truncated')
    })

    test(`${name} is never answered with a 500`, () => {
      for (const progress of Object.values(phases)) {
        assert.equal(failures[classify(error, progress)].status, 502)
      }
    })
  }
})
