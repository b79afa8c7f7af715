import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'

/** A TCP connection that speaks bytes, for requests that no HTTP client would send. */
export interface RawClient {
  readonly socket: Socket
  /** Everything received so far. */
  readonly received: string
  send(bytes: string | Buffer): void
  /** Resolves once `pattern` has been received, with everything so far; rejects if the connection closes before. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with everything once the other side has closed. */
  closed(): Promise<string>
}

/** Connects to a port of the loopback, by TLS if there is a `ca`; the connection is destroyed when the test ends. */
export async function rawClient(
  t: TestContext,
  port: number,
  { ca, host = '127.0.0.1' }: { readonly ca?: string; readonly host?: string } = {},
): Promise<RawClient> {
  const place = { port, host }
  const socket = ca === undefined ? connect(place) : connectTls({ ...place, ca, servername: 'localhost' })
  let received = ''
  const checks = new Set<() => void>()
  const check = () => {
    for (const one of checks) one()
  }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    check()
  })
  socket.on('error', () => {})
  socket.on('close', check)
  t.after(() => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once(ca === undefined ? 'connect' : 'secureConnect', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    get received() {
      return received
    },
    send: (bytes) => void socket.write(bytes),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const one = () => {
          if (pattern.test(received)) resolve(received)
          else if (socket.closed || socket.destroyed)
            reject(new Error(`closed before ${pattern}; received: ${received}`))
          else return
          checks.delete(one)
        }
        checks.add(one)
        one()
      }),
    closed: () =>
      new Promise((resolve) => {
        if (socket.closed) resolve(received)
        else socket.once('close', () => resolve(received))
      }),
  }
}
