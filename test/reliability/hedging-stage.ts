import balancer, {
  type Attempt,
  type Balancer,
  type BalancerOptions,
  type Policy,
} from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  connect,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { listenApp } from '../support/app.ts'
import { listen } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

/** A request that a backend has, and has not answered. */
interface Held {
  readonly path: string
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly response: Http2ServerResponse | ServerResponse
  /** The balancer has given it up. */
  gone: boolean
  answer(body: string, status?: number): void
  /** Sends the headers, and the first bytes. */
  begin(body: string): void
  /** Breaks it off before any answer. */
  reset(): void
}

/** A backend that answers when it is told to. */
interface HoldingBackend {
  readonly url: string
  /** Every request that it was sent, in order of arrival. */
  readonly held: readonly Held[]
}

type BackendProtocol = 'http1' | 'h2c'

async function startHolding(t: TestContext, protocol: BackendProtocol = 'http1'): Promise<HoldingBackend> {
  const held: Held[] = []
  const sessions = new Set<ServerHttp2Session>()
  const hold = (request: Http2ServerRequest | IncomingMessage, response: Http2ServerResponse | ServerResponse) => {
    request.resume()
    const one: Held = {
      path: request.url!,
      method: request.method!,
      headers: request.headers,
      response,
      gone: false,
      answer(body, status = 200) {
        ;(response as ServerResponse).writeHead(status).end(body)
      },
      begin(body) {
        ;(response as ServerResponse).writeHead(200).write(body)
      },
      reset() {
        if ('stream' in response) response.stream.close(2)
        else (request as IncomingMessage).socket.resetAndDestroy()
      },
    }
    response.on('close', () => (one.gone = !response.writableEnded))
    held.push(one)
  }
  const server = protocol === 'h2c' ? createHttp2Server(hold) : createServer(hold)
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('upgrade', (_request: IncomingMessage, socket: NodeJS.WritableStream) => {
    held.push(undefined as never)
    t.after(() => void socket.end())
  })
  const url = await listen(server)
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return { url, held }
}

/** Always the first of those that are available. */
const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** How much hedging costs nothing in these tests. */
export const unlimited = { budget: { ratio: 0, floor: 1000 } }

/** How long responses have taken so far, in ms. */
export const usual = 10

export interface Stage {
  readonly app: FastifyInstance
  readonly url: string
  readonly balancer: Balancer
  readonly clock: ManualClock
  readonly log: LogLines
  readonly backends: readonly HoldingBackend[]
  /** Each attempt that has ended: its backend and its outcome. */
  readonly ended: string[]
  readonly attempts: readonly Attempt[]
  /** Waits until the backend of this index has so many requests. */
  arrived(index: number, count?: number): Promise<Held>
  /** Time passes until whatever has just been sent is slow. */
  slow(): Promise<void>
  /** Nothing is in progress. */
  atRest(): Promise<void>
}

export interface StageOptions {
  readonly options?: BalancerOptions
  readonly protocol?: BackendProtocol
  readonly http2?: boolean
  readonly count?: number
  /** Registered before the balancer, and after it. */
  readonly before?: (app: FastifyInstance) => unknown
  readonly after?: (app: FastifyInstance) => unknown
  /** Whether it is known how long responses take. */
  readonly measured?: boolean
}

/** An app in front of backends that hold what they are sent, where responses have taken 10 ms so far. */
export async function startStage(t: TestContext, stage: StageOptions = {}): Promise<Stage> {
  const { options = {}, protocol = 'http1', http2 = false, count = 2, before, after, measured = true } = stage
  const clock = new ManualClock()
  const log = new LogLines()
  const backends = await Promise.all(Array.from({ length: count }, () => startHolding(t, protocol)))
  const app = Fastify({ logger: log, ...(http2 && { http2: true }) } as object) as unknown as FastifyInstance
  await before?.(app)
  await app.register(balancer, {
    backends: backends.map(({ url }, index) => ({ url, id: `backend-${index}` })),
    policy: inOrder,
    pool: { protocol },
    hedge: unlimited,
    clock,
    ...options,
  })
  await after?.(app)
  const { url } = await listenApp(t, app)
  const own = app.balancer
  const ended: string[] = []
  const attempts: Attempt[] = []
  own.addHook('onAttemptStart', (attempt) => void attempts.push(attempt))
  own.addHook('onAttemptEnd', ({ backend, outcome }) => void ended.push(`${backend.id} ${outcome}`))
  if (measured) for (let measure = 0; measure < 100; measure++) own.hedging?.measure(usual)
  return {
    app,
    url,
    balancer: own,
    clock,
    log,
    backends,
    ended,
    attempts,
    async arrived(index, number = 1) {
      const { held } = backends[index]!
      await until(`backend ${index} has request ${number}`, () => held.length >= number)
      return held[number - 1]!
    },
    async slow() {
      clock.advance(Math.ceil(own.hedging?.delay ?? 1000))
      await turn()
      await turn()
    },
    async atRest() {
      await until('nothing is in progress', () => own.exchanges === 0 && own.backends.every(({ isIdle }) => isIdle))
    },
  }
}

/** Asks over HTTP/2, and always answers. */
export function askHttp2(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const session = connect(url)
    session.on('error', () => {})
    const stream = session.request({ ':path': '/' })
    let status = 0
    let body = ''
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    stream.on('error', () => {})
    stream.on('close', () => {
      session.close()
      resolve({ status, body })
    })
  })
}
