import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import * as grpc from '@grpc/grpc-js'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { TestContext } from 'node:test'
import { listenApp } from './app.ts'
import { localhost } from './certificates.ts'
import { LogLines } from './log-lines.ts'

const same = (bytes: Buffer) => bytes

function method(name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
}

/** A service whose messages are bytes: no code is generated for it, and nothing between can know what is in them. */
const service = {
  Unary: method('Unary', false, false),
  Collect: method('Collect', true, false),
  Count: method('Count', false, true),
  Chat: method('Chat', true, true),
}

type Handlers = {
  Unary: grpc.handleUnaryCall<Buffer, Buffer>
  Collect: grpc.handleClientStreamingCall<Buffer, Buffer>
  Count: grpc.handleServerStreamingCall<Buffer, Buffer>
  Chat: grpc.handleBidiStreamingCall<Buffer, Buffer>
}

/** By their numbers. */
const codes = Object.values(grpc.status).filter((code) => typeof code === 'number')

/** What a server does unless it is told otherwise; the same as `grpc-peer.py` does. */
function usual(name: string): Handlers {
  return {
    Unary(call, done) {
      const [wanted] = call.metadata.get('wanted-status')
      const trailers = new grpc.Metadata()
      trailers.set('served-by', name)
      trailers.set('echo-bin', (call.metadata.get('echo-bin')[0] as Buffer | undefined) ?? Buffer.alloc(0))
      if (wanted !== undefined) {
        trailers.remove('echo-bin')
        return done({ code: codes[Number(wanted)]!, details: 'kaput: 100 % für immer', metadata: trailers })
      }
      const initial = new grpc.Metadata()
      initial.set('echo-text', call.metadata.get('echo-text')[0] ?? '')
      call.sendMetadata(initial)
      done(null, call.request, trailers)
    },
    Collect(call, done) {
      const chunks: Buffer[] = []
      call.on('data', (chunk: Buffer) => chunks.push(chunk))
      call.on('end', () => done(null, Buffer.concat(chunks)))
    },
    Count(call) {
      const count = call.request.readUInt32BE(0)
      const size = call.request.readUInt32BE(4)
      let sent = 0
      const send = () => {
        while (sent < count && call.write(Buffer.alloc(size, sent % 256))) sent++
        if (sent++ < count) call.once('drain', send)
        else call.end()
      }
      send()
    },
    Chat(call) {
      call.on('data', (chunk: Buffer) => call.write(chunk))
      call.on('end', () => call.end())
    },
  }
}

/** `grpc.health.v1`, which says this. */
function addHealth(server: grpc.Server, serving: 'SERVING' | 'NOT_SERVING'): void {
  const Check = { ...method('', false, false), path: '/grpc.health.v1.Health/Check' }
  const check: grpc.handleUnaryCall<Buffer, Buffer> = (_call, done) =>
    done(null, Buffer.from([8, serving === 'SERVING' ? 1 : 2]))
  server.addService({ Check }, { Check: check })
}

export interface GrpcBackend {
  readonly url: string
  readonly server: grpc.Server
  /** Unary calls so far. */
  readonly calls: grpc.ServerUnaryCall<Buffer, Buffer>[]
}

interface GrpcBackendOptions {
  readonly name?: string
  readonly tls?: boolean
  readonly handlers?: Partial<Handlers>
  /** What it says of its health; without it, it has no such service. */
  readonly serving?: 'SERVING' | 'NOT_SERVING'
}

/** A server of grpc-js; it is stopped when the test ends. */
export async function startGrpcBackend(
  t: TestContext,
  { name = 'one', tls = false, handlers = {}, serving }: GrpcBackendOptions = {},
): Promise<GrpcBackend> {
  const server = new grpc.Server()
  const calls: grpc.ServerUnaryCall<Buffer, Buffer>[] = []
  const all: Handlers = { ...usual(name), ...handlers }
  server.addService(service, {
    ...all,
    Unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      calls.push(call)
      all.Unary(call, done)
    },
  })
  if (serving !== undefined) addHealth(server, serving)
  const credentials = tls
    ? grpc.ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(localhost.cert), private_key: Buffer.from(localhost.key) },
      ])
    : grpc.ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  )
  t.after(() => server.forceShutdown())
  return { url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, server, calls }
}

export type GrpcClient = InstanceType<typeof Client>

const Client = grpc.makeGenericClientConstructor(service, 'Echo')

/** A client with one channel. */
export function grpcClient(t: TestContext, port: number, { tls = false } = {}) {
  const credentials = tls ? grpc.credentials.createSsl(Buffer.from(localhost.cert)) : grpc.credentials.createInsecure()
  const client = new Client(`${tls ? 'localhost' : '127.0.0.1'}:${port}`, credentials, {
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': -1,
  })
  t.after(() => client.close())
  return client
}

/** How a call ended, as its client sees it. */
export interface CallEnd {
  readonly code: string
  readonly details: string
  readonly message: Buffer | undefined
  readonly headers: grpc.Metadata | undefined
  readonly trailers: grpc.Metadata
}

type UnaryOptions = { metadata?: Record<string, string | Buffer>; timeout?: number; method?: string }

/** One unary call. */
export function callUnary(
  client: GrpcClient,
  message: Buffer | string,
  { metadata = {}, timeout, method: path = '/test.Echo/Unary' }: UnaryOptions = {},
): Promise<CallEnd> {
  return new Promise((resolve) => {
    const sent = new grpc.Metadata()
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value)
    let headers: grpc.Metadata | undefined
    let answer: Buffer | undefined
    const options = timeout === undefined ? {} : { deadline: Date.now() + timeout }
    client
      .makeUnaryRequest(path, same, same, Buffer.from(message), sent, options, (_error, received) => {
        answer = received
      })
      .on('metadata', (received: grpc.Metadata) => (headers = received))
      .on('status', ({ code, details, metadata: trailers }: grpc.StatusObject) =>
        // The callback comes after the status.
        setImmediate(() => resolve({ code: grpc.status[code], details, message: answer, headers, trailers })),
      )
  })
}

/** An app that listens for HTTP/2, with a balancer over HTTP/2 backends. */
export interface GrpcApp {
  readonly app: FastifyInstance
  readonly port: number
  readonly log: LogLines
}

interface GrpcAppOptions extends BalancerOptions {
  /** To clients and to backends. */
  readonly tls?: boolean
  readonly before?: (app: FastifyInstance) => unknown
  readonly after?: (app: FastifyInstance) => unknown
}

export async function startGrpcApp(t: TestContext, options: GrpcAppOptions): Promise<GrpcApp> {
  const { tls = false, before, after, ...balancing } = options
  const log = new LogLines()
  const server = tls ? { http2: true, https: localhost, logger: log } : { http2: true, logger: log }
  const app = Fastify(server as unknown as FastifyServerOptions)
  await before?.(app)
  const pool: BalancerOptions['pool'] = tls ? { protocol: 'http2', tls: { ca: localhost.cert } } : { protocol: 'h2c' }
  await app.register(balancer, { pool, ...balancing })
  await after?.(app)
  return { ...(await listenApp(t, app)), log }
}
