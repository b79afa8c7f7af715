import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { startRawBackend } from './backend.ts'

/** One connection to an upgrade backend, from its first byte on. */
export interface UpgradeConnection {
  readonly socket: Socket
  /** The head of its request, with the empty line. */
  head: string
  /** What has come behind that. */
  received: string
  /** The other side has ended. */
  ended: boolean
  closed: boolean
}

/** A backend on bare TCP for whatever asks it to switch protocols. */
export interface UpgradeBackend {
  readonly url: string
  readonly connections: UpgradeConnection[]
}

/** The head of a 101, with the right accept. */
export function switching(head: string, protocol = 'websocket'): string {
  const key = /^sec-websocket-key: *(.*)\r$/im.exec(head)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`
}

/**
 * Starts one; `answer` says what it sends once a request's head has come: by default the 101. Nothing of what comes behind
 * is answered.
 */
export async function startUpgradeBackend(
  t: TestContext,
  answer: (head: string, connection: UpgradeConnection) => string | undefined = (head) => `${switching(head)}\r\n`,
): Promise<UpgradeBackend> {
  const connections: UpgradeConnection[] = []
  const url = await startRawBackend(
    t,
    (socket) => {
      const connection = { socket, head: '', received: '', ended: false, closed: false }
      connections.push(connection)
      let text = ''
      socket.on('data', (chunk) => {
        if (connection.head !== '') {
          connection.received += chunk.toString('latin1')
          return
        }
        text += chunk.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) return
        connection.head = text.slice(0, end + 4)
        connection.received = text.slice(end + 4)
        const bytes = answer(connection.head, connection)
        if (bytes !== undefined) socket.write(bytes, 'latin1')
      })
      socket.on('end', () => (connection.ended = true))
      socket.on('close', () => (connection.closed = true))
    },
    { allowHalfOpen: true },
  )
  return { url, connections }
}

/** A handshake of RFC 6455 §1.2, with the fields given beside. */
export function handshake(path = '/chat', fields: readonly string[] = []): string {
  const own = ['host: a.example', 'upgrade: websocket', 'connection: Upgrade', `sec-websocket-key: ${key}`]
  return `GET ${path} HTTP/1.1\r\n${[...own, 'sec-websocket-version: 13', ...fields].join('\r\n')}\r\n\r\n`
}

const key = 'dGhlIHNhbXBsZSBub25jZQ=='
/** What belongs to the key of `handshake` (RFC 6455 §1.3). */
export const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
