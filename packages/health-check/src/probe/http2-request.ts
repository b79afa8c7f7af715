import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { ProbeRequest, Reader } from './answer-reader.ts'
import type { Probing } from './probing.ts'

/** Node's channel for client streams: told within the call that closes one. */
const closing = 'http2.client.stream.close'

/** No public property says that the end has come. Where this one is missing, no body is whole. */
interface ClosingStream extends ClientHttp2Stream {
  readonly _readableState?: { readonly ended: boolean }
}

/** Asks over a connection that nothing else uses, and that speaks HTTP/2 from its first byte. */
export function askHttp2(socket: Socket, request: ProbeRequest, reader: Reader, probing: Probing): void {
  const { method, path, authority, scheme, headers, body } = request
  // The address is not used: there is a socket already, and the request has its own authority.
  const session = connect(`${scheme}://localhost`, { createConnection: () => socket })
  probing.closeBy(() => {
    session.destroy()
    socket.destroy()
  })
  session.on('error', (error) => reader.onError(error))
  const asked = session.request(
    { ...headers, ':method': method, ':path': path, ':scheme': scheme, ':authority': authority },
    { endStream: body === undefined },
  )
  if (body !== undefined) asked.end(body)
  let hasHeaders = false
  let isWhole = false
  // Node says `end` both of a stream that was ended and of one that was reset without a code. Only in the moment of closing
  // it shows which it was.
  const onClosing = (message: unknown) => {
    const { stream } = message as { readonly stream: ClosingStream }
    if (stream === asked) isWhole = stream._readableState?.ended === true
  }
  subscribe(closing, onClosing)
  probing.closeBy(() => {
    unsubscribe(closing, onClosing)
    session.destroy()
    socket.destroy()
  })
  asked.on('response', (received) => {
    hasHeaders = true
    reader.onStatus(received[':status']!, received)
  })
  asked.on('trailers', (trailers) => reader.onTrailers?.(trailers))
  asked.on('data', (chunk: Buffer) => reader.onData(chunk))
  asked.on('error', (error) => {
    if (!isWhole) reader.onError(error)
  })
  asked.on('close', () => {
    if (hasHeaders && isWhole) reader.onEnd()
    else reader.onError(new Error('the stream was closed'))
  })
}
