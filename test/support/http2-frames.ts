import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { startRawBackend } from './backend.ts'

/** Frame types and what can be set on them (RFC 9113 §6). */
export const types = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const endStream = 1
export const ack = 1
export const endHeaders = 4
export const padded = 8

/** Error codes (RFC 9113 §7). */
export const codes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const

/** What a client begins with. */
export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** One frame that was received. */
export interface Frame {
  readonly type: number
  readonly bits: number
  readonly stream: number
  readonly payload: Buffer
}

/** Any frame, also one that no library would send. */
export function frame(type: number, bits: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = bits
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Four bytes. */
export const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** HPACK in its plainest form: literals without indexing, whose names and values are shorter than 127 bytes. */
export function fieldBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** Frames to send. */
export const send = {
  headers: (stream: number, fields: Readonly<Record<string, string>>, bits = 0) =>
    frame(types.headers, endHeaders | bits, stream, fieldBlock(fields)),
  data: (stream: number, body: string | Buffer, bits = 0) => frame(types.data, bits, stream, Buffer.from(body)),
  reset: (stream: number, code: number) => frame(types.reset, 0, stream, uint32(code)),
  goaway: (lastStream: number, code: number) =>
    frame(types.goaway, 0, 0, Buffer.concat([uint32(lastStream), uint32(code)])),
  /** Identifier 3 is MAX_CONCURRENT_STREAMS, 4 INITIAL_WINDOW_SIZE. */
  settings: (values: Readonly<Record<number, number>> = {}) =>
    frame(
      types.settings,
      0,
      0,
      Buffer.concat(
        Object.entries(values).map(([id, value]) => Buffer.concat([Buffer.from([0, Number(id)]), uint32(value)])),
      ),
    ),
  windowUpdate: (stream: number, bytes: number) => frame(types.windowUpdate, 0, stream, uint32(bytes)),
}

/** Takes the whole frames from the start of what was received. */
export function takeFrames(received: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = []
  let rest = received
  while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
    const length = rest.readUIntBE(0, 3)
    const payload = Buffer.from(rest.subarray(9, 9 + length))
    frames.push({ type: rest[3]!, bits: rest[4]!, stream: rest.readUInt32BE(5) & 0x7f_ff_ff_ff, payload })
    rest = rest.subarray(9 + length)
  }
  return { frames, rest }
}

/** A connection of a client that speaks HTTP/2, as frames. */
export interface FrameConnection {
  readonly socket: Socket
  /** 1 for the first. */
  readonly number: number
  /** Everything it has sent, in order. */
  readonly frames: readonly Frame[]
  /** Streams on which a request has come, in order. */
  readonly streams: readonly number[]
  /** Streams that the client has reset, with the code. */
  readonly resets: ReadonlyMap<number, number>
  write(...frames: readonly Buffer[]): void
}

/** What a frame backend does; what it leaves out is done by the book, or not at all. */
export interface FrameScript {
  /** Called once the client has said what it speaks; by default answers with empty SETTINGS. */
  onConnection?(connection: FrameConnection): void
  /** Sends nothing on its own: no SETTINGS, no answer to PING. */
  readonly silent?: true
  /** The head of a request has come. */
  onRequest?(connection: FrameConnection, stream: number, isWhole: boolean): void
  onData?(connection: FrameConnection, stream: number, body: Buffer, isWhole: boolean): void
}

/** A backend on bare TCP that speaks HTTP/2 frame by frame, and so can break off wherever it wants. */
export async function startFrameBackend(t: TestContext, script: FrameScript) {
  const connections: FrameConnection[] = []
  const url = await startRawBackend(t, (socket) => {
    let rest = Buffer.alloc(0)
    let begun = false
    const frames: Frame[] = []
    const streams: number[] = []
    const resets = new Map<number, number>()
    const connection: FrameConnection = {
      socket,
      number: connections.length + 1,
      frames,
      streams,
      resets,
      write: (...written) => {
        if (!socket.destroyed) socket.write(Buffer.concat(written))
      },
    }
    connections.push(connection)
    const onFrame = (one: Frame) => {
      frames.push(one)
      const { type, bits, stream, payload } = one
      const isWhole = (bits & endStream) !== 0
      if (script.silent !== true && type === types.settings && (bits & ack) === 0)
        connection.write(frame(types.settings, ack, 0))
      else if (script.silent !== true && type === types.ping && (bits & ack) === 0)
        connection.write(frame(types.ping, ack, 0, payload))
      else if (type === types.reset) resets.set(stream, payload.readUInt32BE())
      else if (type === types.headers) {
        streams.push(stream)
        script.onRequest?.(connection, stream, isWhole)
      } else if (type === types.data) script.onData?.(connection, stream, payload, isWhole)
    }
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (!begun) {
        if (rest.length < preface.length) return
        begun = true
        rest = rest.subarray(preface.length)
        if (script.onConnection === undefined) connection.write(...(script.silent === true ? [] : [send.settings()]))
        else script.onConnection(connection)
      }
      const taken = takeFrames(rest)
      rest = taken.rest as typeof rest
      for (const one of taken.frames) onFrame(one)
    })
  })
  return { url, connections }
}
