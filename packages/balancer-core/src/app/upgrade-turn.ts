import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { EarlyBytes } from '../tunnel/early-bytes.ts'

/** The response that is under way on a connection, as Node has it. */
type Busy = Socket & { readonly _httpMessage?: NodeJS.EventEmitter | null }

/**
 * Calls `begin` once all responses to requests before this one on its connection have been sent; never, if the connection
 * ends with one of them, or the client leaves. Node hands an upgrade over at once, whatever is under way. `head` is what
 * came behind the request, and `begin` gets all that has come by then.
 */
export function whenItsTurn(
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  begin: (head: Buffer) => void,
): void {
  const { socket } = request
  // The last of those responses may have said `connection: close`.
  if (!socket.writable) return
  if (socket.readableEnded) return socket.destroySoon()
  const { _httpMessage: busy } = socket as Busy
  if (busy === undefined || busy === null) return begin(head)
  // It is read, so that a client that leaves is noticed.
  const early = new EarlyBytes(stream, head)
  busy.once('close', () => whenItsTurn(request, stream, Buffer.concat(early.take()), begin))
}
