import type { IncomingHttpHeaders } from 'node:http'
import type { Reader } from './answer-reader.ts'
import type { Probing } from './probing.ts'

/** `HealthCheckResponse.ServingStatus`. */
const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const serving = 1

/** An answer is 7 bytes; more than this is none (bytes). */
const mostRead = 65_536

const ok = '0'
const notFound = '5'
const unimplemented = '12'

/**
 * Field 1, a varint, of the one message in a body of gRPC. Protobuf leaves it out when it is 0, and other fields may be
 * there. Undefined if that is not what the body is.
 */
function servingStatusIn(body: Buffer): number | undefined {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) return undefined
  if (body.length === 5) return 0
  return body[5] === 0x08 && body[6]! < 0x80 ? body[6] : undefined
}

/** Reads the answer of `grpc.health.v1.Health/Check`. */
export class HealthReader implements Reader {
  readonly #probing: Probing
  readonly #about: string
  readonly #chunks: Buffer[] = []
  #length = 0
  #status: string | undefined
  #message = ''
  #hasResponded = false

  constructor(probing: Probing, service: string) {
    this.#probing = probing
    this.#about = service === '' ? '' : ` for '${service}'`
  }

  onStatus(status: number, headers: IncomingHttpHeaders): void {
    this.#hasResponded = true
    this.#probing.responded()
    const type = headers['content-type'] ?? 'no content-type'
    if (status !== 200) this.#probing.bad(`HTTP ${status}, not gRPC`)
    else if (!type.startsWith('application/grpc')) this.#probing.bad(`HTTP 200 with ${type.slice(0, 40)}, not gRPC`)
    else this.onTrailers(headers)
  }

  onData(chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > mostRead) this.#probing.bad(`more than ${mostRead} bytes, not grpc.health.v1`)
    else this.#chunks.push(chunk)
  }

  /** The status may also be in the headers. */
  onTrailers({ 'grpc-status': status, 'grpc-message': message }: IncomingHttpHeaders): void {
    if (status === undefined) return
    this.#status = String(status)
    this.#message = message === undefined || message === '' ? '' : `: ${String(message).slice(0, 100)}`
  }

  onEnd(): void {
    if (this.#status === ok) return this.#judge(servingStatusIn(Buffer.concat(this.#chunks)))
    if (this.#status === undefined) this.#probing.bad('no grpc-status')
    else if (this.#status === unimplemented) this.#probing.bad('UNIMPLEMENTED: the backend has no grpc.health.v1')
    else if (this.#status === notFound) this.#probing.bad(`NOT_FOUND: the backend knows no service${this.#about}`)
    else this.#probing.bad(`grpc-status ${this.#status}${this.#message}`)
  }

  onError(error: unknown): void {
    this.#probing.failed(error, this.#hasResponded ? 'HTTP 200, then ' : '')
  }

  #judge(status: number | undefined): void {
    const name = status === undefined ? undefined : servingStatuses[status]
    if (status === serving) this.#probing.good(`SERVING${this.#about}`)
    else if (name === undefined) this.#probing.bad('an answer that is not of grpc.health.v1')
    else this.#probing.bad(`${name}${this.#about}`)
  }
}
