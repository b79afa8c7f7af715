import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { startRawBackend } from '../support/backend.ts'
import { readMessage, type WireMessage } from './wire-message.ts'

/** One connection that a wire backend has accepted. */
export interface WireConnection {
  readonly socket: Socket
  /** 1 for the first. */
  readonly number: number
  /** Everything received over it. */
  readonly received: string
  /** How many whole requests of it have been handed to the script. */
  readonly requests: number
  /** Sends bytes, one for each character. */
  send(text: string): void
}

/** Called for each whole request; a string is sent as it is. */
export type WireScript = string | ((request: WireMessage, connection: WireConnection) => void)

/** A backend on bare TCP that keeps every byte it has got, and answers by a script. */
export interface WireBackend {
  readonly url: string
  readonly connections: readonly WireConnection[]
  /** Every whole request so far, in order of arrival. */
  readonly requests: readonly WireMessage[]
  /** Everything received over all connections. */
  readonly received: string
}

/** Something that a wire backend does before a request is whole. */
export interface WireHooks {
  onConnection?(connection: WireConnection): void
  /** The head of a request has arrived, and maybe some of its body. */
  onHead?(head: string, connection: WireConnection): void
}

/** A response of status 200 with this body. */
export function ok(body = 'ok', ...fields: string[]): string {
  return `HTTP/1.1 200 OK\r\n${fields.map((field) => `${field}\r\n`).join('')}content-length: ${body.length}\r\n\r\n${body}`
}

/** Starts a wire backend; it is stopped when the test ends. */
export async function startWireBackend(
  t: TestContext,
  script: WireScript = ok(),
  { onConnection, onHead }: WireHooks = {},
): Promise<WireBackend> {
  const connections: WireConnection[] = []
  const requests: WireMessage[] = []
  const url = await startRawBackend(t, (socket) => {
    let received = ''
    let position = 0
    let requestsHere = 0
    let headSeen = false
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    const connection: WireConnection = {
      socket,
      number: connections.length + 1,
      get received() {
        return received
      },
      get requests() {
        return requestsHere
      },
      send: (text) => void socket.write(text, 'latin1'),
    }
    connections.push(connection)
    onConnection?.(connection)
    socket.on('data', (text: string) => {
      received += text
      for (;;) {
        const rest = received.slice(position)
        const headEnd = rest.indexOf('\r\n\r\n')
        if (headEnd !== -1 && !headSeen) {
          headSeen = true
          onHead?.(rest.slice(0, headEnd + 4), connection)
        }
        const request = readMessage(rest)
        if (request === undefined) return
        headSeen = false
        position += request.size
        requestsHere++
        requests.push(request)
        if (typeof script === 'string') connection.send(script)
        else script(request, connection)
      }
    })
  })
  return {
    url,
    connections,
    requests,
    get received() {
      return connections.map((connection) => connection.received).join('')
    },
  }
}
