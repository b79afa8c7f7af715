import Fastify, { type FastifyInstance } from 'fastify'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { localhost } from '../../../test/support/certificates.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { proxyProtocol, type ProxyProtocolOptions } from '../src/index.ts'

/** What an app sees of a request's client. */
export interface Seen {
  readonly ip: string
  readonly ips?: readonly string[]
  readonly port: number
  readonly local: string
  readonly protocol: string
  readonly version: string
  readonly body: string
}

export interface Stage {
  readonly app: FastifyInstance
  readonly port: number
  readonly log: LogLines
}

/** An app that says what it sees: with TLS and HTTP/2, too. */
export async function startStage(
  t: TestContext,
  options: Partial<ProxyProtocolOptions> = {},
  fastify: Record<string, unknown> = { https: localhost, http2: true },
): Promise<Stage> {
  const log = new LogLines()
  const serverFactory = proxyProtocol({ from: ['127.0.0.1'], ...options })
  const app = Fastify({ logger: log, ...fastify, serverFactory } as never) as unknown as FastifyInstance
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.all('/', async ({ ip, ips, protocol, raw, body }) => {
    const { remotePort: port, localAddress: local } = raw.socket
    return { ip, ips, port, local, protocol, version: raw.httpVersion, body: body ?? '' }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  return { app, log, port: (app.server.address() as AddressInfo).port }
}

/** Connects to it. */
export async function opened(t: TestContext, port: number, begin: string | Buffer = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  if (begin.length > 0) socket.write(begin)
  return socket
}

/** The ways of talking to one port. */
export const ways = ['HTTP/1.1', 'HTTP/2', 'HTTP/1.1 over TLS', 'HTTP/2 over TLS'] as const
export type Way = (typeof ways)[number]

/** Encrypts a connection. */
export function encrypted(socket: Socket, protocol: string): Socket {
  const { cert: ca } = localhost
  const tls = connectTls({ socket, ca, servername: 'localhost', ALPNProtocols: [protocol] })
  tls.on('error', () => {})
  return tls
}

async function answerOf(socket: Socket): Promise<Seen> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as Seen
}

/** Asks over a connection on which the header has been written, or will be by `begin`. */
export async function seenBy(socket: Socket, way: Way, body = ''): Promise<Seen> {
  const isHttp2 = way.startsWith('HTTP/2')
  const used = way.endsWith('TLS') ? encrypted(socket, isHttp2 ? 'h2' : 'http/1.1') : socket
  if (!isHttp2) {
    const head = ['POST / HTTP/1.1', 'host: a', 'connection: close', 'content-type: text/plain']
    used.write([...head, `content-length: ${body.length}`, '', body].join('\r\n'))
    return answerOf(used)
  }
  if (way.endsWith('TLS')) await once(used, 'secureConnect')
  const session = connectHttp2('http://a', { createConnection: () => used })
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', 'content-type': 'text/plain' })
  Readable.from([body]).pipe(stream)
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  session.close()
  return JSON.parse(text) as Seen
}
