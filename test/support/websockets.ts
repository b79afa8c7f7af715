import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws'
import { listen } from './backend.ts'

/** A backend that sends every message back. */
export interface EchoBackend {
  readonly url: string
  readonly server: WebSocketServer
}

/** Starts one, of the package `ws`; with a name, it puts that before each text. */
export async function startEchoBackend(
  t: TestContext,
  { name, ...options }: ServerOptions & { readonly name?: string } = {},
): Promise<EchoBackend> {
  const http = createServer((request, response) => {
    request.pipe(response)
  })
  const server = new WebSocketServer({ server: http, ...options })
  server.on('connection', (socket, request) => {
    if (request.url === '/close') return socket.close(4001, 'of the server')
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) =>
      socket.send(name === undefined ? data : `${name}:${(data as Buffer).toString()}`, { binary: isBinary }),
    )
  })
  const url = await listen(http)
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
    http.closeAllConnections()
    return new Promise((resolve) => void http.close(resolve))
  })
  return { url, server }
}

/** Opens a WebSocket; it is cut when the test ends. @throws Error when it is refused, with the status */
export async function openWebSocket(
  t: TestContext,
  url: string,
  { protocols = [], ...options }: ClientOptions & { readonly protocols?: readonly string[] } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], options)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  socket.on('error', () => {})
  return socket
}

/** Sends a text; resolves with the next message. */
export async function say(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message')
  socket.send(text)
  const [data] = (await answer) as [Buffer]
  return data.toString()
}
