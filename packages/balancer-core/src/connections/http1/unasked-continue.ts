/** Longest interim response that is buffered (bytes); a longer one is left to the parser. */
const maxInterim = 16_384
const heads = ['HTTP/1.1 1', 'HTTP/1.0 1'].map((text) => Buffer.from(text, 'latin1'))

/** Result for the bytes before a final response. */
export interface Interim {
  /** Bytes for the parser; undefined if none. */
  readonly passed: Buffer | undefined
  /** Bytes to check again together with the next ones. */
  readonly held: Buffer | undefined
  /** The final response has begun. */
  readonly answered: boolean
  /** There was a `100 Continue`. */
  readonly continues: boolean
}

/** True if this may be the beginning of an interim response. */
function mayBeInterim(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, 10)
  return heads.some((head) => head.compare(bytes, 0, length, 0, length) === 0)
}

/**
 * Removes each `100 Continue` before the response: a client must be able to parse it, and may ignore it if it did not
 * ask for it (RFC 9110 §15.2). Other interim responses pass.
 */
export function withoutContinue(bytes: Buffer): Interim {
  const passed: Buffer[] = []
  let rest = bytes
  let continues = false
  const interim = (held: Buffer | undefined, answered: boolean): Interim => ({
    passed: passed.length === 0 ? undefined : Buffer.concat(passed),
    held,
    answered,
    continues,
  })
  while (rest.length > 0) {
    const isInterim = mayBeInterim(rest)
    const end = isInterim && rest.length >= 12 ? rest.indexOf('\n\r\n') : -1
    if (!isInterim || (end === -1 && rest.length > maxInterim)) {
      passed.push(rest)
      return interim(undefined, true)
    }
    if (end === -1) return interim(rest, false)
    const status = rest.toString('latin1', 9, 12)
    // From here on, it is not HTTP.
    if (status === '101') {
      passed.push(rest)
      return interim(undefined, true)
    }
    if (status === '100') continues = true
    else passed.push(rest.subarray(0, end + 3))
    rest = rest.subarray(end + 3)
  }
  return interim(undefined, false)
}
