import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { localhost } from './certificates.ts'
import { ack, endStream, frame, preface, send, takeFrames, types, type Frame } from './http2-frames.ts'
import { until } from './until.ts'

/** A client on bare TCP or TLS that speaks HTTP/2 frame by frame. */
export interface FrameClient {
  readonly socket: Socket
  /** Everything received, in order. */
  readonly frames: readonly Frame[]
  readonly ended: boolean
  write(...frames: readonly Buffer[]): void
  /** Asks with GET, on a stream of its own. */
  ask(stream: number, fields?: Readonly<Record<string, string>>): void
  /** The body of a stream so far. */
  bodyOf(stream: number): string
  /** The frames of one type, of one stream. */
  received(type: number, stream?: number): readonly Frame[]
  /** Resolves once a response is whole. */
  whole(stream: number): Promise<void>
  /** Resolves with the error code of a GOAWAY or RST_STREAM. */
  code(type: number, stream?: number): Promise<number>
  /** Resolves once the other side has closed its side, or all. */
  end(): Promise<void>
}

export interface FrameClientOptions {
  readonly tls?: boolean
  /** It does not close its side when the server does. */
  readonly deaf?: boolean
  /** Sends nothing by itself. */
  readonly silent?: boolean
  /** The values of its SETTINGS. */
  readonly settings?: Readonly<Record<number, number>>
}

/** The fields of a plain GET. */
export const asking = { ':method': 'GET', ':scheme': 'http', ':authority': 'a.example', ':path': '/' } as const

/** Connects to a port of the loopback; the connection is destroyed when the test ends. */
export async function frameClient(
  t: TestContext,
  port: number,
  { tls = false, deaf = false, silent = false, settings = {} }: FrameClientOptions = {},
): Promise<FrameClient> {
  const place = { port, host: '127.0.0.1', allowHalfOpen: deaf }
  const socket = tls
    ? connectTls({ ...place, ca: localhost.cert, servername: 'localhost', ALPNProtocols: ['h2'] })
    : connect(place)
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  const frames: Frame[] = []
  let rest = Buffer.alloc(0)
  let ended = false
  const write = (...written: readonly Buffer[]) => {
    if (!socket.destroyed) socket.write(Buffer.concat(written))
  }
  socket.on('data', (chunk: Buffer) => {
    const taken = takeFrames(Buffer.concat([rest, chunk]))
    rest = taken.rest as typeof rest
    for (const one of taken.frames) {
      frames.push(one)
      const isAnswered = !silent && (one.bits & ack) === 0
      if (isAnswered && one.type === types.settings) write(frame(types.settings, ack, 0))
      if (isAnswered && one.type === types.ping) write(frame(types.ping, ack, 0, one.payload))
    }
  })
  for (const event of ['end', 'close']) socket.once(event, () => (ended = true))
  await once(socket, tls ? 'secureConnect' : 'connect')
  if (!silent) write(Buffer.from(preface), send.settings(settings))
  const received = (type: number, stream?: number) =>
    frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream))
  return {
    socket,
    frames,
    get ended() {
      return ended
    },
    write,
    ask: (stream, fields = {}) => write(send.headers(stream, { ...asking, ...fields }, endStream)),
    bodyOf: (stream) => Buffer.concat(received(types.data, stream).map(({ payload }) => payload)).toString(),
    received,
    whole: (stream) =>
      until(`stream ${stream} has ended`, () =>
        frames.some(
          (one) =>
            one.stream === stream &&
            (one.type === types.headers || one.type === types.data) &&
            (one.bits & endStream) !== 0,
        ),
      ),
    code: async (type, stream) => {
      await until(`a frame ${type} has come`, () => received(type, stream).length > 0)
      const { payload } = received(type, stream).at(-1)!
      return payload.readUInt32BE(type === types.goaway ? 4 : 0)
    },
    end: () => until('the server has closed', () => ended),
  }
}
