/**
 * An error of one stream, or of its connection after requests had been sent. `failure.ts` knows the codes, which are
 * Node's.
 */
export class Http2Error extends Error {
  readonly code: 'ERR_HTTP2_STREAM_ERROR' | 'ERR_HTTP2_SESSION_ERROR' | 'ERR_HTTP2_NO_EXTENDED_CONNECT'

  constructor(code: Http2Error['code'], message: string) {
    super(message)
    this.name = 'Http2Error'
    this.code = code
  }
}

/** The error of one stream. */
export function streamError(message: string): Http2Error {
  return new Http2Error('ERR_HTTP2_STREAM_ERROR', message)
}
