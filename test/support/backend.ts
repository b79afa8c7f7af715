import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as NetServer, ServerOpts, Socket } from 'node:net'
import { createServer as createNetServer } from 'node:net'
import type { TestContext } from 'node:test'

/** Starts listening on a free port of the loopback; answers the origin. */
export async function listen(server: NetServer, host = '127.0.0.1'): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
}

/** A backend of node:http, with what it has received. */
export interface TestBackend {
  readonly url: string
  readonly server: Server
  /** Every request so far, in order of arrival. */
  readonly received: IncomingMessage[]
  /** Open connections right now. */
  readonly sockets: Set<Socket>
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>
}

/** What a backend was asked by clients, where they do not use HEAD: that is what probes do. */
export function asked({ received }: TestBackend): readonly IncomingMessage[] {
  return received.filter(({ method }) => method !== 'HEAD')
}

/** Starts a backend; it is stopped when the test ends. Without a listener it answers 200 with its name. */
export async function startBackend(t: TestContext, listener?: RequestListener, name = 'backend'): Promise<TestBackend> {
  const received: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const answer = listener ?? ((_request: IncomingMessage, response: ServerResponse) => response.end(name))
  const server = createServer((request, response) => {
    received.push(request)
    answer(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const url = await listen(server)
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
    })
  t.after(stop)
  return { url, server, received, sockets, stop }
}

/** Starts `names.length` backends that each answer with their name. */
export async function startBackends(t: TestContext, ...names: string[]): Promise<TestBackend[]> {
  return Promise.all(names.map((name) => startBackend(t, undefined, name)))
}

/** A backend on bare TCP, for answers that no HTTP server would give. Answers its origin. */
export async function startRawBackend(
  t: TestContext,
  onSocket: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createNetServer(options, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    onSocket(socket)
  })
  const url = await listen(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  return url
}

/** Where to look next for a port that nobody uses; processes begin apart. */
let unusedPort = 10_000 + ((process.pid * 61) % 20_000)

/**
 * An origin on which nobody listens, nor will by chance: systems choose ports from 32768 on where
 * they are asked for any, and one of those would sooner or later be given to the proxy itself.
 */
export async function unusedOrigin(): Promise<string> {
  for (;;) {
    unusedPort = unusedPort < 30_000 ? unusedPort + 1 : 10_000
    const port = unusedPort
    const server = createNetServer()
    // oxlint-disable-next-line no-await-in-loop -- one port after the other
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return `http://127.0.0.1:${port}`
  }
}

/** Reads a body whole. */
export async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.toString()
  return text
}
