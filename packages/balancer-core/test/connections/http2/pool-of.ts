import type { TestContext } from 'node:test'
import { buildConnector, type Dispatcher } from 'undici'
import type { Connect } from '../../../src/connections/connect.ts'
import type { CarryingConnection } from '../../../src/connections/request-pool.ts'
import { Http2Pool, type Http2PoolSettings } from '../../../src/connections/http2/http2-pool.ts'
import { until } from '../../../../../test/support/until.ts'

/** A pool for a backend in clear; it is destroyed when the test ends. */
export function poolOf(
  t: Pick<TestContext, 'after'>,
  url: string,
  settings: Partial<Http2PoolSettings> = {},
): Http2Pool {
  const pool = new Http2Pool({
    url: new URL(url),
    connectorFor: () => buildConnector({ useH2c: true } as buildConnector.BuildOptions) as unknown as Connect,
    connectTimeout: 10_000,
    connections: 10,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 65_536,
    streamWindow: 524_288,
    connectionWindow: 8_388_608,
    pingInterval: 0,
    pingTimeout: 10_000,
    lifetime: () => Infinity,
    handshakes: undefined,
    now: () => performance.now(),
    ...settings,
  })
  t.after(() => pool.destroy())
  return pool
}

/** The handler of one request, that writes down what it is told. */
export class Recorded implements Dispatcher.DispatchHandler {
  connection: CarryingConnection | undefined
  controller: Dispatcher.DispatchController | undefined
  refused = false
  started = false
  status = 0
  informed: number[] = []
  headers: Record<string, unknown> = {}
  chunks: Buffer[] = []
  sent = 0
  uploaded = false
  trailers: Record<string, unknown> | undefined
  error: (Error & { code?: string }) | undefined
  /** How often its end was told. */
  ends = 0
  /** Called for each chunk. */
  onChunk: ((controller: Dispatcher.DispatchController) => void) | undefined

  get received(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  /** It has ended cleanly. */
  get isWhole(): boolean {
    return this.trailers !== undefined
  }

  ended(): Promise<void> {
    return until('it has ended', () => this.ends > 0)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    this.started = true
    if (this.connection !== undefined) this.connection.fresh = false
  }

  onBodySent(chunk: Buffer): void {
    this.sent += chunk.length
  }

  onRequestSent(): void {
    this.uploaded = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: object): void {
    if (status < 200) {
      this.informed.push(status)
      return
    }
    this.status = status
    this.headers = { ...headers }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk)
    this.onChunk?.(controller)
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: object): void {
    this.ends++
    this.trailers = { ...trailers }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.ends++
    this.error = error
  }
}

/** Sends a request over a pool. */
export function dispatch(pool: Http2Pool, options: Partial<Dispatcher.DispatchOptions> = {}): Recorded {
  const recorded = new Recorded()
  pool.dispatch({ method: 'GET', path: '/', headers: ['host', 'a.test'], ...options }, recorded)
  return recorded
}
