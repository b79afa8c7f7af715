import { connect } from 'node:http2'
import type { Socket } from 'node:net'
import type { AnswerReader, ProbeRequest } from './answer-reader.ts'
import type { Probing } from './probing.ts'

/** Sends the request over an HTTP/2 connection for this probe only. */
export function askHttp2(socket: Socket, request: ProbeRequest, reader: AnswerReader, probing: Probing): void {
  const { method, path, authority, scheme, headers } = request
  // The address is not used: there is a socket already, and the request has its own authority.
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
  // Here it is known whether the body was complete: Node emits `end` for a cancelled one too, and no error for some
  // other ends (a reset without a code, a GOAWAY).
  asked.on('close', () => {
    if (hasHeaders && asked.rstCode === 0) reader.onEnd()
    else reader.onError(new Error('the stream was closed'))
  })
}
