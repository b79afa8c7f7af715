import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { rawClient } from '../support/raw.ts'
import { readMessage, type WireMessage } from './wire-message.ts'

/** A client that speaks bytes and reads whole responses. */
export interface WireClient {
  readonly socket: Socket
  /** Everything received so far. */
  readonly received: string
  /** What has been received and not taken as a response. */
  readonly rest: string
  /** Sends bytes, one for each character. */
  send(text: string): void
  /** Takes the next response; informational ones count as responses. Rejects where it breaks off. */
  response(expectation?: { readonly bodyless?: boolean }): Promise<WireMessage>
  /** Resolves with everything once `text` has been received; rejects if the connection closes before. */
  until(text: string | RegExp): Promise<string>
  /** Resolves once the other side has closed, with what was received and not taken. */
  closed(): Promise<string>
}

function moved(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('data', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('data', done)
    socket.on('close', done)
  })
}

/** Connects to a port of the loopback; the connection is destroyed when the test ends. */
export async function wireClient(t: TestContext, port: number): Promise<WireClient> {
  const client = await rawClient(t, port)
  const { socket } = client
  let position = 0
  socket.setNoDelay(true)
  const rest = () => client.received.slice(position)
  return {
    socket,
    get received() {
      return client.received
    },
    get rest() {
      return rest()
    },
    send: (text) => client.send(Buffer.from(text, 'latin1')),
    response: async (expectation) => {
      for (;;) {
        const { closed } = socket
        const message = readMessage(rest(), { ...expectation, closed })
        if (message !== undefined) {
          position += message.size
          return message
        }
        if (closed) throw new Error(`closed in the midst of a response: ${JSON.stringify(rest())}`)
        await moved(socket)
      }
    },
    until: (text) => client.until(typeof text === 'string' ? new RegExp(text.replaceAll(/[^\w ]/g, '\\$&')) : text),
    closed: async () => {
      await client.closed()
      return rest()
    },
  }
}

/** Sends one request over a connection of its own, and takes the response. */
export async function exchange(t: TestContext, port: number, request: string): Promise<WireMessage> {
  const client = await wireClient(t, port)
  client.send(request)
  const response = await client.response({ bodyless: request.startsWith('HEAD ') })
  client.socket.destroy()
  return response
}

/** A request of HTTP/1.1 for `a.example`, with these further fields. */
export function get(target = '/', ...fields: string[]): string {
  return `GET ${target} HTTP/1.1\r\nhost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`
}

/** The same with a body of known length. */
export function post(body: string, ...fields: string[]): string {
  const all = ['host: a.example', `content-length: ${body.length}`, ...fields]
  return `POST / HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n${body}`
}
