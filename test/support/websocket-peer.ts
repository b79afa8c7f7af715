import { once } from 'node:events'
import { connect, createServer, type ClientHttp2Session, type ServerHttp2Session } from 'node:http2'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { listen } from './backend.ts'
import { handshake, switching } from './upgrade-backend.ts'

/** What clients and backends speak. */
export type Version = 'HTTP/1.1' | 'HTTP/2'

/** One end of what is to become a tunnel: a client, or a connection or stream of a backend. */
export class Peer {
  readonly stream: Duplex
  /** What it was sent, behind the head: latin1. */
  received = ''
  /** The head that it was sent: the request's for a backend, the response's for a client. */
  fields: Record<string, string | undefined> | undefined
  /** Early hints that came before its head: their `link`. */
  readonly hints: (string | undefined)[] = []
  ended = false
  closed = false

  constructor(stream: Duplex, isHttp1: boolean) {
    this.stream = stream
    let head = ''
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      if (!isHttp1 || this.fields !== undefined) {
        this.received += text
        return
      }
      head += text
      let end = head.indexOf('\r\n\r\n')
      while (head.startsWith('HTTP/1.1 103') && end !== -1) {
        this.hints.push(fieldsOf(head.slice(0, end))['link'])
        head = head.slice(end + 4)
        end = head.indexOf('\r\n\r\n')
      }
      if (end === -1) return
      this.received = head.slice(end + 4)
      this.fields = fieldsOf(head.slice(0, end))
      stream.emit('head')
    })
    stream.on('end', () => (this.ended = true))
    stream.on('close', () => (this.closed = true))
    stream.on('error', () => {})
  }

  get status(): number {
    return Number(this.fields?.[':status'] ?? 0)
  }

  /** Over HTTP/2, the code with which its stream was reset. */
  get resetCode(): number | undefined {
    return 'rstCode' in this.stream ? (this.stream.rstCode as number) : undefined
  }

  send(text: string): void {
    this.stream.write(Buffer.from(text, 'latin1'))
  }

  end(text = ''): void {
    this.stream.end(Buffer.from(text, 'latin1'))
  }

  reset(): void {
    if ('close' in this.stream) (this.stream.close as (code: number) => void)(8)
    else (this.stream as unknown as { resetAndDestroy(): void }).resetAndDestroy()
  }
}

/** The fields of an HTTP/1.1 head, with what HTTP/2 would call its first line; several of one name are joined. */
function fieldsOf(head: string): Record<string, string | undefined> {
  const [start = '', ...lines] = head.split('\r\n')
  const [first = '', second = ''] = start.split(' ')
  const isResponse = first.startsWith('HTTP/')
  const fields: Record<string, string | undefined> = isResponse
    ? { ':status': second }
    : { ':method': first, ':path': second }
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*): *(.*)$/.exec(line) ?? []
    const earlier = fields[name.toLowerCase()]
    fields[name.toLowerCase()] = earlier === undefined ? value : `${earlier}, ${value}`
  }
  return fields
}

function flat(fields: object): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
}

/** A client that asks for WebSockets: over one connection with HTTP/2 and over one for each with HTTP/1.1. */
export interface WebSocketClient {
  /** Sends a handshake. */
  ask(path: string, fields?: Readonly<Record<string, string>>): Promise<Peer>
  /** With HTTP/2, its connection. */
  readonly session: ClientHttp2Session | undefined
}

export async function webSocketClient(t: TestContext, version: Version, port: number): Promise<WebSocketClient> {
  if (version === 'HTTP/1.1') {
    return {
      session: undefined,
      async ask(path, fields = {}) {
        const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
        t.after(() => socket.destroy())
        const peer = new Peer(socket, true)
        await once(socket, 'connect')
        socket.write(
          handshake(
            path,
            Object.entries(fields).map((pair) => pair.join(': ')),
          ),
        )
        return peer
      },
    }
  }
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  t.after(() => session.destroy())
  await once(session, 'remoteSettings')
  return {
    session,
    async ask(path, fields = {}) {
      const pseudo = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': path }
      const own = { ':authority': 'a.example', 'sec-websocket-version': '13' }
      const stream = session.request({ ...pseudo, ...own, ...fields }, { endStream: false })
      const peer = new Peer(stream, false)
      stream.on('headers', (headers) => peer.hints.push(flat(headers)['link']))
      stream.on('response', (headers) => (peer.fields = flat(headers)))
      return peer
    },
  }
}

/** A backend for WebSockets. */
export interface WebSocketBackend {
  readonly url: string
  readonly peers: Peer[]
  /** With HTTP/2, its connections. */
  readonly sessions: Set<ServerHttp2Session>
}

/** Opens a WebSocket that was asked for. */
export function open(peer: Peer, fields: Readonly<Record<string, string>> = {}): void {
  answer(peer, 'respond' in peer.stream ? 200 : 101, fields)
}

/** Answers with a head; over HTTP/1.1, a 101 has what belongs to it. */
export function answer(peer: Peer, status: number, fields: Readonly<Record<string, string>> = {}): void {
  const { stream } = peer
  if ('respond' in stream) {
    ;(stream.respond as (headers: object) => void)({ ':status': status, ...fields })
    return
  }
  const lines = Object.entries(fields).map((pair) => `${pair.join(': ')}\r\n`)
  const key = `sec-websocket-key: ${peer.fields?.['sec-websocket-key']}\r\n`
  const start = status === 101 ? switching(key) : `HTTP/1.1 ${status} Any\r\n`
  peer.send(`${start}${lines.join('')}\r\n`)
}

/** Sends early hints. */
export function hint(peer: Peer, link: string): void {
  if ('additionalHeaders' in peer.stream)
    (peer.stream.additionalHeaders as (headers: object) => void)({ ':status': 103, link })
  else peer.send(`HTTP/1.1 103 Early Hints\r\nlink: ${link}\r\n\r\n`)
}

/** Starts one; `onAsked` is called once a request's head has come: by default it opens. */
export async function startWebSocketBackend(
  t: TestContext,
  version: Version,
  onAsked: (peer: Peer) => void = (peer) => open(peer),
  enableConnectProtocol = true,
): Promise<WebSocketBackend> {
  const peers: Peer[] = []
  const sessions = new Set<ServerHttp2Session>()
  if (version === 'HTTP/1.1') {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      t.after(() => socket.destroy())
      const peer = new Peer(socket, true)
      socket.once('head', () => {
        peers.push(peer)
        onAsked(peer)
      })
    })
    const url = await listen(server)
    t.after(() => void server.close())
    return { url, peers, sessions }
  }
  const server = createServer({ settings: { enableConnectProtocol } })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
    t.after(() => session.destroy())
  })
  server.on('stream', (stream, headers) => {
    const peer = new Peer(stream, false)
    peer.fields = flat(headers)
    peers.push(peer)
    onAsked(peer)
  })
  const url = await listen(server)
  t.after(() => void server.close())
  return { url, peers, sessions }
}
