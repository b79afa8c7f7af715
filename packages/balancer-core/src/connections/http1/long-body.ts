import { channel } from 'node:diagnostics_channel'

/** A shorter body is not worth it (bytes). */
const shortest = 131_072
/** What is shorter than this, and more than a head, has little of a long body in it (bytes). */
const leastRead = 20_480

/** A response whose body is so long that it passes the parser by. */
export interface LongBody {
  /** What the parser is given: the head, as that of a body of one byte. */
  readonly head: Buffer
  /** The value of `content-length` as it came. */
  readonly length: string
  /** Bytes of the body that have come with the head. */
  readonly rest: Buffer
}

const startLine = /^HTTP\/1\.[01] [2-5]\d\d/
/** No body follows, whatever the head says (RFC 9112 §6.3). */
const bodiless = /^HTTP\/1\.. (?:204|304)/
const lengthField = /\r\ncontent-length:[ \t]*(\d{6,15})[ \t]*(?=\r\n|$)/i

/** Observers of undici would get the wrong length. */
const traced = channel('undici:request:headers')

function endsHead(chunk: Buffer): boolean {
  const { length } = chunk
  return chunk[length - 1] === 0x0a && chunk[length - 2] === 0x0d && chunk[length - 3] === 0x0a
}

/**
 * undici copies each byte of a body into the memory of its parser, which has nothing to find in a body of known length.
 * So the parser is told of one byte, the last; those before it pass it by. Undefined unless the head is whole and says
 * without any doubt how long the body is.
 */
export function longBody(chunk: Buffer): LongBody | undefined {
  if (chunk.length < leastRead && !endsHead(chunk)) return undefined
  const end = chunk.indexOf('\r\n\r\n')
  if (end === -1 || traced.hasSubscribers) return undefined
  const head = chunk.toString('latin1', 0, end)
  const [field, length = ''] = lengthField.exec(head) ?? []
  if (field === undefined || Number(length) < shortest) return undefined
  if (!startLine.test(head) || bodiless.test(head)) return undefined
  const lower = head.toLowerCase()
  const isClear = lower.indexOf('content-length') === lower.lastIndexOf('content-length')
  if (!isClear || lower.includes('transfer-encoding')) return undefined
  const short = `${head.replace(field, '\r\ncontent-length: 1')}\r\n\r\n`
  return { head: Buffer.from(short, 'latin1'), length, rest: chunk.subarray(end + 4) }
}
