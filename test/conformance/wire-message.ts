/** An HTTP/1.1 message exactly as it was on the wire. All text is latin1: one character for each byte. */
export interface WireMessage {
  /** The request line or the status line. */
  readonly start: string
  /** 0 for a request. */
  readonly status: number
  /** In order, as they were written. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Without its chunking. */
  readonly body: string
  readonly chunks: readonly string[]
  readonly trailers: readonly (readonly [name: string, value: string])[]
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  /** How many bytes it took. */
  readonly size: number
}

/** What has to be known beside the bytes to find the end of a message. */
export interface Expectation {
  /** It answers HEAD: no body follows, whatever its fields say. */
  readonly bodyless?: boolean
  /** The sender has closed its side, so nothing more will come. */
  readonly closed?: boolean
}

type Field = readonly [name: string, value: string]

function fieldsOf(lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`not a field: ${JSON.stringify(line)}`)
    // Not `trim()`, which would take more than HTTP's white space.
    return [line.slice(0, colon), line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '')]
  })
}

/** Every value of a field, in order, whatever the case of its name. */
export function valuesOf({ fields }: Pick<WireMessage, 'fields'>, name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The one value of a field; undefined where there is none. */
export function valueOf(message: Pick<WireMessage, 'fields'>, name: string): string | undefined {
  const values = valuesOf(message, name)
  if (values.length > 1) throw new Error(`${name} occurs ${values.length} times`)
  return values[0]
}

interface Chunked {
  readonly chunks: string[]
  readonly trailers: Field[]
  readonly end: number
}

function readChunks(text: string, from: number): Chunked | undefined {
  const chunks: string[] = []
  for (let position = from; ;) {
    const lineEnd = text.indexOf('\r\n', position)
    if (lineEnd === -1) return undefined
    const line = text.slice(position, lineEnd)
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd)
      if (end === -1) return undefined
      const trailers = text.slice(lineEnd + 2, end)
      return { chunks, trailers: trailers === '' ? [] : fieldsOf(trailers.split('\r\n')), end: end + 4 }
    }
    const end = lineEnd + 2 + size
    if (text.length < end + 2) return undefined
    if (text.slice(end, end + 2) !== '\r\n') throw new Error(`a chunk runs on: ${JSON.stringify(text.slice(end))}`)
    chunks.push(text.slice(lineEnd + 2, end))
    position = end + 2
  }
}

/**
 * Takes the message at the start of `text`; undefined where it is not whole yet. Strict: it throws where two readers
 * could differ on where the message ends.
 */
export function readMessage(
  text: string,
  { bodyless = false, closed = false }: Expectation = {},
): WireMessage | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [start, ...lines] = text.slice(0, headEnd).split('\r\n') as [string, ...string[]]
  const fields = fieldsOf(lines)
  const status = start.startsWith('HTTP/') ? Number(start.split(' ')[1]) : 0
  const from = headEnd + 4
  const whole = { start, status, fields, chunks: [], trailers: [] }

  const length = valueOf({ fields }, 'content-length')
  const coding = valueOf({ fields }, 'transfer-encoding')
  if (length !== undefined && coding !== undefined) throw new Error('both content-length and transfer-encoding')
  const informational = status >= 100 && status < 200
  if (bodyless || informational || status === 204 || status === 304) {
    return { ...whole, body: '', framing: 'none', size: from }
  }
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`transfer-encoding: ${coding}`)
    const read = readChunks(text, from)
    if (read === undefined) return undefined
    const { chunks, trailers, end } = read
    return { ...whole, body: chunks.join(''), chunks, trailers, framing: 'chunked', size: end }
  }
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) throw new Error(`content-length: ${length}`)
    const end = from + Number(length)
    return text.length < end ? undefined : { ...whole, body: text.slice(from, end), framing: 'length', size: end }
  }
  if (status === 0) return { ...whole, body: '', framing: 'none', size: from }
  return closed ? { ...whole, body: text.slice(from), framing: 'close', size: text.length } : undefined
}
