import { connect } from 'node:http2'
import type { Socket } from 'node:net'
import type { AnswerReader, ProbeRequest } from './answer-reader.ts'
import type { Probing } from './probing.ts'

/** Asks over a connection that nothing else uses, and that speaks HTTP/2 from its first byte. */
export function askHttp2(socket: Socket, request: ProbeRequest, reader: AnswerReader, probing: Probing): void {
  const { method, path, authority, scheme, headers } = request
  // The address is not used: the socket is there, and the request names its own authority.
  const session = connect(`${scheme}://localhost`, { createConnection: () => socket })
  probing.closeBy(() => {
    session.destroy()
    socket.destroy()
  })
  session.on('error', (error) => reader.onError(error))
  const asked = session.request(
    { ...headers, ':method': method, ':path': path, ':scheme': scheme, ':authority': authority },
    { endStream: true },
  )
  let hasHeaders = false
  asked.on('response', ({ ':status': status }) => {
    hasHeaders = true
    reader.onStatus(status!)
  })
  asked.on('data', (chunk: Buffer) => reader.onData(chunk))
  asked.on('error', (error) => reader.onError(error))
  // Whether the body was complete shows here: Node says `end` also of one that was cancelled, and calls some ways to end
  // no errors (a reset without a code, a GOAWAY).
  asked.on('close', () => {
    if (hasHeaders && asked.rstCode === 0) reader.onEnd()
    else reader.onError(new Error('the stream was closed'))
  })
}
