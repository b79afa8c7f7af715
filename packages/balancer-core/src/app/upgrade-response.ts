import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { switchingHead } from '../tunnel/switching-response.ts'
import { lingerAfter } from '../response/lingering-close.ts'

/** How often TCP asks whether the client is still there, without traffic (ms): as undici does for backends. */
const keepAlive = 60_000

/** Node's server does this for its own responses: a paused writer goes on. */
function tellOfDrain(this: Socket & { _httpMessage?: ServerResponse | null }): void {
  this._httpMessage?.emit('drain')
}

/**
 * The response to a request that Node has taken out of HTTP, for the app to answer as any other: its connection ends with
 * it, unless it is switched. It is written to the connection itself: from 24.9 on, while a body is still coming, Node hands
 * over another stream, which does not end as a socket does.
 */
export function responseTo(request: IncomingMessage): ServerResponse {
  const { socket } = request
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  // The client may have sent something for the protocol that it hopes for.
  lingerAfter(response)
  socket.on('drain', tellOfDrain)
  // Node takes it so for requests that it keeps, and nginx for these: a client that has ended its side has gone.
  socket.once('end', () => {
    if (response.socket === socket && !response.writableEnded) socket.destroy()
  })
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.destroySoon()
    process.nextTick(() => response.emit('close'))
  })
  return response
}

/**
 * Answers with 101 instead, and hands the connection over to the other protocol.
 * @throws TypeError for fields that must not be sent
 */
export function switchTo(response: ServerResponse, socket: Socket, protocol: string, fields: readonly string[]): void {
  const head = switchingHead(protocol, fields)
  response.detachSocket(socket)
  socket.setTimeout(0)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAlive)
  socket.write(Buffer.from(head, 'latin1'))
}
