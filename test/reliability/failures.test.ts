import balancer, {
  failures,
  type FailureError,
  type Attempt,
  type Balancer,
  type BalancerOptions,
  type FailureReason,
} from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import Fastify from 'fastify'
import { request, STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { listenApp, startApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { Authority } from '../support/authority.ts'
import { listen, readAll, startBackend, startRawBackend, unusedOrigin } from '../support/backend.ts'
import { elsewhere, localhost } from '../support/certificates.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { rawClient } from '../support/raw.ts'
import { unchanged, until } from '../support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'
import { startWebSocketBackend } from '../support/websocket-peer.ts'

type LaneName = 'raw' | 'full'

/** What is a mistake of code in this process is logged as an error. */
const bugs = new Set<FailureReason>(['rewrite-failed', 'request-refused'])

/** One app in which one failure is provoked, with everything that is to be seen of it. */
class Scene {
  readonly t: TestContext
  readonly lane: LaneName
  readonly #failureHeader: boolean | undefined
  readonly lines = new LogLines()
  readonly ended: Attempt[] = []
  readonly clock = new ManualClock()
  /** Requests that have come in. */
  asked = 0
  balancer!: Balancer
  url!: string

  constructor(t: TestContext, lane: LaneName, failureHeader?: boolean) {
    this.t = t
    this.lane = lane
    this.#failureHeader = failureHeader
  }

  async start(options: BalancerOptions, server: object = {}): Promise<void> {
    const { lane } = this
    const failureHeader = this.#failureHeader
    const { app, url } = await startApp(
      this.t,
      { lane, ...(failureHeader !== undefined && { failureHeader }), ...options },
      { logger: { level: 'info', stream: this.lines.stream }, genReqId: () => String(++this.asked), ...server },
    )
    this.balancer = app.balancer
    this.balancer.addHook('onAttemptEnd', (attempt) => {
      if (attempt.exchange.url === '/row') this.ended.push(attempt)
    })
    this.url = `${url}/row`
  }
}

interface Row {
  readonly status: number
  readonly blame: 'client' | 'backend' | 'proxy'
  /** Outcomes of the attempts; by default one, of this reason. */
  readonly attempts?: readonly RequestFailure[]
  /** Told in full; cut off after the headers; or no longer there. Told if nothing is said. */
  readonly client?: 'told' | 'broken' | 'gone'
  /** The code and message of the answer, where they are not those of the table. */
  readonly told?: { readonly code: string | undefined; readonly message: string }
  /** A call of gRPC, which is answered 200, with this status in the headers. */
  readonly grpcStatus?: string
  /** What the log line says of the attempt, where that is not the reason. */
  readonly logged?: string
  /** Starts the app, and has one request for `/row` fail. */
  provoke(scene: Scene): Promise<Answer | undefined>
}

const never = () => {}
const overTls = (origin: string) => origin.replace('http:', 'https:')

/** A backend that holds whatever asks for `/held`. */
async function startHolder({ t }: Scene) {
  return startBackend(t, (incoming, response) => {
    if (incoming.url !== '/held') response.end('ok')
  })
}

/** Has one request under way at a backend that holds it. */
async function occupy(scene: Scene, options: BalancerOptions): Promise<void> {
  const backend = await startHolder(scene)
  await scene.start({ backends: [{ url: backend.url, maxInFlight: 1 }], ...options })
  const held = request(scene.url.replace('/row', '/held'), { agent: false }).on('error', never).end()
  scene.t.after(() => held.destroy())
  await until('the backend is occupied', () => backend.received.length === 1)
}

function endlessBody(): Readable {
  const chunk = Buffer.alloc(65_536)
  return new Readable({
    read() {
      this.push(chunk)
    },
  })
}

/** Sends these bytes, and reads what comes until the connection is closed. */
async function askRaw({ t, url }: Scene, bytes: string): Promise<Answer> {
  const client = await rawClient(t, Number(new URL(url).port))
  client.send(bytes)
  const [head = '', body = ''] = (await client.closed()).split('\r\n\r\n')
  const [start = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ') as [string, string]))
  return { status: Number(start.split(' ')[1]), headers, body, whole: true, error: undefined }
}

const authority = new Authority()
const expired = authority.issue({ days: -1 })
const sound = authority.issue()

/** Has one request fail at a backend whose connections are not trusted, or that does not trust ours. */
async function askOverTls(scene: Scene, server: ServerOptions, tls: NonNullable<BalancerOptions['pool']>['tls'] = {}) {
  const untrusted = createTlsServer(server, (_incoming, response) => response.end('must not be trusted'))
  const origin = await listen(untrusted)
  scene.t.after(() => void untrusted.close())
  await scene.start({ backends: [overTls(origin)], pool: { tls } })
  return ask(scene.url)
}

/** Every way for a request to fail; `hedge-lost` is only of attempts. */
type RequestFailure = Exclude<FailureReason, 'hedge-lost'>

const rows: Record<RequestFailure, Row> = {
  'bad-request': {
    status: 400,
    blame: 'client',
    attempts: [],
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      await scene.start({ backends: [backend.url] })
      const answer = await ask(scene.url, { headers: ['host', 'a', 'host', 'b'] })
      assert.equal(backend.received.length, 0)
      return answer
    },
  },
  'unsupported-version': {
    status: 505,
    blame: 'client',
    attempts: [],
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      await scene.start({ backends: [backend.url] })
      const answer = await askRaw(scene, 'GET /row HTTP/2.0\r\nhost: a\r\n\r\n')
      assert.equal(backend.received.length, 0)
      return answer
    },
  },
  'rewrite-failed': {
    status: 500,
    blame: 'proxy',
    attempts: [],
    // The hook is the app's own code, so its error reaches the app's error handler as it is.
    told: { code: undefined, message: 'the hook broke' },
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      const rewrite = {
        request: () => {
          throw new Error('the hook broke')
        },
      }
      await scene.start({ backends: [backend.url], rewrite })
      const answer = await ask(scene.url)
      assert.equal(backend.received.length, 0)
      return answer
    },
  },
  overloaded: {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      const backend = await startHolder(scene)
      await scene.start({ backends: [backend.url], maxExchanges: 1 })
      const held = scene.url.replace('/row', '/held')
      // What other tests have left under way in this process may take a moment to end.
      while (backend.received.length === 0) {
        const outgoing = request(held, { agent: false }).on('error', never).end()
        scene.t.after(() => outgoing.destroy())
        const refused = once(outgoing, 'response').then(([response]) => (response as IncomingMessage).resume())
        await Promise.race([refused, until('it has arrived', () => backend.received.length > 0)])
      }
      return ask(scene.url)
    },
  },
  'no-backend': {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      await scene.start({ backends: [backend.url] })
      scene.balancer.veto(scene.balancer.backends[0]!, { by: 'maintenance', reason: 'closed', hard: true })
      return ask(scene.url)
    },
  },
  'queue-full': {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      await occupy(scene, { queue: { max: 0 } })
      return ask(scene.url)
    },
  },
  'queue-shed': {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      await occupy(scene, { queue: { shed: 'codel', target: 1, interval: 1 }, timeouts: { queue: 0 } })
      const { queue, clock } = scene.balancer
      const first = ask(scene.url)
      await until('it waits', () => queue.length === 1)
      const since = clock.now()
      await until('it has waited too long', () => clock.now() - since > 2)
      const newer = ['/second', '/third'].map((path) =>
        request(scene.url.replace('/row', path), { agent: false }).on('error', never).end(),
      )
      const answer = await first
      for (const one of newer) one.destroy()
      await until('only the first is under way', () => scene.balancer.exchanges === 1)
      return answer
    },
  },
  'queue-timeout': {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      await occupy(scene, { timeouts: { queue: 50 } })
      return ask(scene.url)
    },
  },
  'dns-failed': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      // Where no name server answers at all, the look-up takes its time to find out.
      await scene.start({ backends: ['http://does-not-exist.invalid'], timeouts: { connect: 60_000 } })
      return ask(scene.url)
    },
  },
  'connect-refused': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      await scene.start({ backends: [await unusedOrigin()] })
      return ask(scene.url)
    },
  },
  'connect-failed': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => {
        socket.once('data', () => socket.resetAndDestroy())
      })
      await scene.start({ backends: [overTls(origin)] })
      return ask(scene.url)
    },
  },
  'connect-timeout': {
    status: 504,
    blame: 'backend',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => socket.resume())
      await scene.start({ backends: [overTls(origin)], timeouts: { connect: 100 } })
      return ask(scene.url)
    },
  },
  'tls-failed': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const { url } = await startBackend(scene.t)
      await scene.start({ backends: [overTls(url)] })
      return ask(scene.url)
    },
  },
  'tls-certificate-expired': {
    status: 502,
    blame: 'backend',
    provoke: (scene) => askOverTls(scene, expired, { ca: authority.cert }),
  },
  'tls-certificate-untrusted': {
    status: 502,
    blame: 'backend',
    provoke: (scene) => askOverTls(scene, localhost),
  },
  'tls-name-mismatch': {
    status: 502,
    blame: 'backend',
    provoke: (scene) => askOverTls(scene, elsewhere, { ca: elsewhere.cert }),
  },
  'tls-pin-mismatch': {
    status: 502,
    blame: 'backend',
    provoke: (scene) => askOverTls(scene, sound, { ca: authority.cert, pins: [`sha256/${'A'.repeat(43)}=`] }),
  },
  'tls-client-certificate-refused': {
    status: 502,
    blame: 'backend',
    provoke: (scene) => askOverTls(scene, { ...sound, ca: authority.cert, requestCert: true }, { ca: authority.cert }),
  },
  'out-of-sockets': {
    status: 503,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      // No socket is to be had at an address that is not this machine's. (In `out-of-sockets.test.ts`, there is none at all.)
      const socket = connect({ host: '127.0.0.1', port: 9, localAddress: '192.0.2.1' })
      const [error] = (await once(socket, 'error')) as [Error]
      const lookup: LookupFunction = (_hostname, _options, callback) => callback(error, [])
      await scene.start({ backends: [backend.url.replace('127.0.0.1', 'localhost')], pool: { tls: { lookup } } })
      return ask(scene.url)
    },
  },
  'continue-timeout': {
    status: 504,
    blame: 'proxy',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => socket.resume())
      await scene.start({
        backends: [overTls(origin)],
        clock: scene.clock,
        timeouts: { connect: 2000, continue: 1000 },
      })
      const headers = { expect: '100-continue', 'content-length': '4' }
      const answer = ask(scene.url, { method: 'POST', headers, body: 'text' })
      await until('it waits for a connection', () => scene.balancer.backends[0]!.inFlight === 1)
      scene.clock.advance(1000)
      return answer
    },
  },
  'request-refused': {
    status: 502,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      const rewrite: BalancerOptions['rewrite'] = { request: ({ out }) => void (out.headers.expect = 'a miracle') }
      await scene.start({ backends: [backend.url], rewrite })
      const answer = await ask(scene.url)
      assert.equal(backend.received.length, 0)
      return answer
    },
  },
  'upload-timeout': {
    status: 504,
    blame: 'backend',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => socket.pause())
      await scene.start({ backends: [origin], clock: scene.clock })
      const answer = ask(scene.url, { method: 'POST', body: endlessBody() })
      const [view] = scene.balancer.backends
      await until(
        'the backend takes no more',
        unchanged(() => view!.bytesSent),
      )
      scene.clock.advance(70_000)
      return answer
    },
  },
  'stale-connection': {
    status: 502,
    blame: 'proxy',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
          socket.once('data', () => socket.destroy())
        })
      })
      await scene.start({ backends: [origin], pool: { connections: 1 } })
      assert.equal((await ask(scene.url.replace('/row', '/first'))).status, 200)
      return ask(scene.url, { method: 'POST', body: 'not to be repeated' })
    },
  },
  'reset-before-headers': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => {
        socket.once('data', () => socket.destroy())
      })
      // With retries, the only backend would be asked once more.
      await scene.start({ backends: [origin], retry: false })
      return ask(scene.url)
    },
  },
  'bad-response': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const origin = await startRawBackend(scene.t, (socket) => {
        socket.once('data', () => socket.end('this is not HTTP\r\n\r\n'))
      })
      await scene.start({ backends: [origin] })
      return ask(scene.url)
    },
  },
  'upgrade-with-body': {
    status: 400,
    blame: 'client',
    attempts: [],
    async provoke(scene) {
      const backend = await startUpgradeBackend(scene.t)
      await scene.start({ backends: [backend.url] })
      const answer = await askRaw(scene, `${handshake('/row', ['content-length: 3'])}abc`)
      assert.equal(backend.connections.length, 0)
      return answer
    },
  },
  'upgrade-required': {
    status: 426,
    blame: 'client',
    attempts: [],
    async provoke(scene) {
      const backend = await startUpgradeBackend(scene.t)
      await scene.start({ backends: [backend.url], upgrade: false })
      const answer = await askRaw(scene, handshake('/row'))
      assert.equal(backend.connections.length, 0)
      assert.equal(answer.headers['upgrade'], 'http/1.1')
      return answer
    },
  },
  'tunnels-full': {
    status: 503,
    blame: 'proxy',
    attempts: [],
    async provoke(scene) {
      const backend = await startUpgradeBackend(scene.t)
      await scene.start({ backends: [backend.url], upgrade: { maxPerBackend: 1 } })
      const first = await rawClient(scene.t, Number(new URL(scene.url).port))
      first.send(handshake('/first'))
      await first.until(/ 101 /)
      return askRaw(scene, handshake('/row'))
    },
  },
  'upgrade-mismatch': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const backend = await startUpgradeBackend(scene.t, (head) => `${switching(head, 'h2c')}\r\n`)
      await scene.start({ backends: [backend.url] })
      return askRaw(scene, handshake('/row'))
    },
  },
  'upgrade-key-mismatch': {
    status: 502,
    blame: 'backend',
    async provoke(scene) {
      const backend = await startUpgradeBackend(scene.t, () => `${switching('')}\r\n`)
      await scene.start({ backends: [backend.url] })
      return askRaw(scene, handshake('/row'))
    },
  },
  'upgrade-ignored': {
    status: 501,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t)
      await scene.start({ backends: [backend.url] }, { http2: true })
      const session = connectHttp2(scene.url)
      scene.t.after(() => session.destroy())
      await once(session, 'remoteSettings')
      const pseudo = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/row' }
      const stream = session.request(pseudo, { endStream: false })
      const [{ ':status': status, ...headers }] = (await once(stream, 'response')) as [IncomingHttpHeaders]
      return { status: Number(status), headers, body: await readAll(stream), whole: true, error: undefined }
    },
  },
  'upgrade-unsupported': {
    status: 502,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startWebSocketBackend(scene.t, 'HTTP/2', undefined, false)
      await scene.start({ backends: [backend.url], pool: { protocol: 'h2c' } })
      const answer = await askRaw(scene, handshake('/row'))
      assert.equal(backend.peers.length, 0)
      return answer
    },
  },
  'response-header-too-large': {
    status: 502,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t, (_, response) => response.setHeader('x', 'y'.repeat(2000)).end())
      await scene.start({ backends: [backend.url], pool: { maxHeaderSize: 1024 } })
      return ask(scene.url)
    },
  },
  'headers-timeout': {
    status: 504,
    blame: 'backend',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const answer = ask(scene.url)
      await until('the request has arrived', () => backend.received.length === 1)
      scene.clock.advance(31_000)
      return answer
    },
  },
  'body-timeout': {
    status: 504,
    blame: 'backend',
    client: 'broken',
    async provoke(scene) {
      const backend = await startBackend(scene.t, (_incoming, response) => void response.write('half of it'))
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const answer = ask(scene.url)
      await until('the first half has arrived', () => scene.balancer.backends[0]!.bytesReceived > 0)
      // The lane begins the response within the same turn.
      await immediate()
      scene.clock.advance(61_000)
      return answer
    },
  },
  'body-truncated': {
    status: 502,
    blame: 'backend',
    client: 'broken',
    async provoke(scene) {
      const backend = await startBackend(scene.t, (_incoming, response) => void response.write('half of it'))
      await scene.start({ backends: [backend.url] })
      return new Promise((resolve, reject) => {
        request(scene.url, { agent: false }, (response) => {
          // Only now, so that the half which was sent is known to have arrived.
          response.once('data', () => {
            for (const socket of backend.sockets) socket.destroy()
          })
          response.on('error', (error) => {
            resolve({ status: response.statusCode!, headers: response.headers, body: '', whole: false, error })
          })
          response.on('end', () => reject(new Error('the response ended as if it were whole')))
        })
          .on('error', reject)
          .end()
      })
    },
  },
  'request-timeout': {
    status: 504,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [backend.url], clock: scene.clock, timeouts: { request: 5000 } })
      // It is not the backend that it waits for.
      const body = new Readable({ read() {} })
      body.push('the beginning')
      const answer = ask(scene.url, { method: 'POST', body })
      await until('the request has begun to arrive', () => backend.received.length === 1)
      scene.clock.advance(5000)
      return answer
    },
  },
  'drain-deadline': {
    status: 503,
    blame: 'proxy',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [{ url: backend.url, id: 'one' }] })
      const answer = ask(scene.url)
      await until('the request is under way', () => backend.received.length === 1)
      assert.equal(await scene.balancer.drain('one', { deadline: 50 }), false)
      return answer
    },
  },
  'client-gone': {
    status: 499,
    blame: 'client',
    client: 'gone',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [backend.url] })
      const outgoing = request(scene.url, { agent: false }).on('error', never).end()
      await until('the request is under way', () => backend.received.length === 1)
      outgoing.destroy()
      return undefined
    },
  },
  'client-stalled': {
    status: 499,
    blame: 'client',
    client: 'broken',
    async provoke(scene) {
      const backend = await startBackend(scene.t, (_incoming, response) => void endlessBody().pipe(response))
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const outgoing = request(scene.url, { agent: false }).end()
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
      const view = scene.balancer.backends[0]!
      await until(
        'nothing moves any more',
        unchanged(() => view.bytesReceived),
      )
      scene.clock.advance(61_000)
      const [error] = (await once(response.resume(), 'error')) as [Error]
      return { status: response.statusCode!, headers: response.headers, body: '', whole: response.complete, error }
    },
  },
  'client-deadline': {
    status: 408,
    blame: 'client',
    grpcStatus: '4',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const answer = ask(scene.url, {
        method: 'POST',
        headers: { 'content-type': 'application/grpc', 'grpc-timeout': '5S' },
      })
      await until('the request has arrived', () => backend.received.length === 1)
      scene.clock.advance(5000)
      return answer
    },
  },
  'stream-timeout': {
    status: 504,
    blame: 'proxy',
    grpcStatus: '14',
    async provoke(scene) {
      const backend = await startBackend(scene.t, never)
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const answer = ask(scene.url, { method: 'POST', headers: { 'content-type': 'application/grpc' } })
      await until('the request has arrived', () => backend.received.length === 1)
      scene.clock.advance(299_000)
      assert.equal(scene.balancer.exchanges, 1)
      scene.clock.advance(2000)
      return answer
    },
  },
  'request-stalled': {
    status: 408,
    blame: 'client',
    async provoke(scene) {
      const backend = await startBackend(scene.t, (incoming) => void incoming.resume())
      await scene.start({ backends: [backend.url], clock: scene.clock })
      const body = new Readable({ read() {} })
      body.push('the first of many')
      const answer = ask(scene.url, { method: 'POST', headers: { 'content-length': '1000000' }, body })
      await until('the backend has what there is', () => scene.balancer.backends[0]!.bytesSent > 0)
      scene.clock.advance(61_000)
      return answer
    },
  },
}

const provoked = new Set<RequestFailure>()

/** Every place in which an answer could give a backend away. */
function assertNoAddress({ headers, body }: Answer, scene: Scene): void {
  const everything = JSON.stringify([headers, body])
  for (const { url, id } of scene.balancer.backends) {
    const { hostname, port } = new URL(url)
    for (const part of [url, id, hostname, port])
      if (part !== '') assert.ok(!everything.includes(part), `${part} is in ${everything}`)
  }
  assert.doesNotMatch(everything, /127\.0\.0\.1|ECONN|ENOTFOUND|UND_ERR|self.signed|at \S+ \(/i)
}

function assertTold(answer: Answer, reason: RequestFailure, scene: Scene, failureHeader: boolean): void {
  const row = rows[reason]
  if (row.grpcStatus !== undefined) {
    const { 'content-type': type, 'grpc-status': status, 'grpc-message': text } = answer.headers
    assert.deepEqual([answer.status, answer.body], [200, ''])
    assert.deepEqual([type, status, text], ['application/grpc', row.grpcStatus, failures[reason].message])
    return assertNoAddress(answer, scene)
  }
  assert.equal(answer.status, row.status)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  const { code, message } = row.told ?? {
    code: `FST_BALANCER_${reason.replaceAll('-', '_').toUpperCase()}`,
    message: failures[reason].message,
  }
  const error = STATUS_CODES[row.status]
  assert.deepEqual(JSON.parse(answer.body), {
    statusCode: row.status,
    ...(code !== undefined && { code }),
    error,
    message,
  })
  assert.equal(answer.headers['retry-after'], row.status === 503 ? '1' : undefined)
  assert.equal(answer.headers['x-balancer-failure'], failureHeader ? reason : undefined)
  assertNoAddress(answer, scene)
}

async function check(reason: RequestFailure, scene: Scene, failureHeader: boolean): Promise<void> {
  const row = rows[reason]
  const { status, blame } = failures[reason]
  assert.deepEqual({ status, blame }, { status: row.status, blame: row.blame })

  const answer = await row.provoke(scene)
  const { lines, ended } = scene
  if (row.client === undefined || row.client === 'told') assertTold(answer!, reason, scene, failureHeader)
  if (row.client === 'broken') {
    assert.deepEqual({ status: answer!.status, whole: answer!.whole }, { status: 200, whole: false })
    assertNoAddress(answer!, scene)
  }

  const outcomes = row.attempts ?? [reason]
  await until('the attempts have ended', () => ended.length === outcomes.length)
  await until('the exchange has ended', () => lines.exchanges.some(({ url }) => url === '/row'))
  assert.deepEqual(
    ended.map(({ outcome, blame: whose }) => ({ outcome, blame: whose })),
    outcomes.map((outcome) => ({ outcome, blame: rows[outcome].blame })),
  )
  const mine = lines.exchanges.filter(({ url }) => url === '/row')
  assert.equal(mine.length, 1)
  const [line] = mine
  assert.equal(line!.outcome, reason)
  assert.equal(
    line!.status,
    row.client === 'gone' ? 0 : row.client === 'broken' || row.grpcStatus !== undefined ? 200 : row.status,
  )
  assert.equal(line!.level, row.blame === 'client' ? 30 : bugs.has(reason) ? 50 : 40)
  assert.deepEqual(
    line!.attempts.map(({ outcome }) => outcome),
    outcomes.map((outcome) => row.logged ?? outcome),
  )

  const [backend] = scene.balancer.backends
  const expected = Object.fromEntries(outcomes.map((outcome) => [outcome, 1]))
  const { ok: _, ...counted } = backend!.outcomes
  assert.deepEqual(counted, expected)
  const held = lines.exchanges.length < scene.asked ? 1 : 0
  assert.equal(backend!.inFlight + backend!.tunnels.size, held)
  assert.equal(scene.balancer.exchanges, held)
  provoked.add(reason)
}

describe('each way to fail is answered, blamed, counted and logged once', { concurrency: 6 }, () => {
  for (const reason of Object.keys(rows) as RequestFailure[]) {
    test(`${reason}, raw lane`, (t) => check(reason, new Scene(t, 'raw', true), true))
    test(`${reason}, full lane`, (t) => check(reason, new Scene(t, 'full', true), true))
    test(`${reason}, not named unless asked for`, (t) => check(reason, new Scene(t, 'raw'), false))
  }
})

for (const [reason, status, breakOff] of [
  ['body-truncated', 502, (socket: Socket) => socket.destroy()],
  ['body-timeout', 504, never],
] as const) {
  test(`a body that the full lane was still collecting is answered ${status} when it fails: ${reason}`, async (t) => {
    const scene = new Scene(t, 'full', true)
    const origin = await startRawBackend(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf of it', () => breakOff(socket))
      })
    })
    await scene.start({ backends: [origin], timeouts: { idle: 100 } })
    const answer = await ask(scene.url)
    assertTold({ ...answer, status }, reason, scene, true)
    assert.equal(answer.status, status)
  })
}

test('the error handler of the app gets the coded error, with its reason and its cause', async (t) => {
  const app = Fastify()
  const seen: FailureError[] = []
  app.setErrorHandler((error: FailureError, _request, reply) => {
    seen.push(error)
    void reply.code(error.statusCode!).send({ sorry: error.reason })
  })
  await app.register(balancer, { backends: [await unusedOrigin()] })
  const { url } = await listenApp(t, app)
  const answer = await ask(url)
  assert.deepEqual([answer.status, answer.body], [502, '{"sorry":"connect-refused"}'])
  assert.equal(seen.length, 1)
  assert.equal(seen[0]!.code, 'FST_BALANCER_CONNECT_REFUSED')
  assert.equal((seen[0]!.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('the table has no row that was not provoked', () => {
  assert.deepEqual([...provoked, 'hedge-lost'].sort(), Object.keys(failures).sort())
})
