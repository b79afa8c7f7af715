import { once } from 'node:events'
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { listen } from '../../support/backend.ts'
import type { Answer, Asked, Asking, Backend, Client, Field, Reply, Role } from './exchange.ts'

/** Pairs as Node gives them beside its objects, without pseudo headers. */
function fieldsOf(pairs: readonly string[] | undefined, headers: IncomingHttpHeaders): Field[] {
  if (pairs === undefined)
    return Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith(':') ? [] : [value ?? []].flat().map((one): Field => [name, one]),
    )
  const fields: Field[] = []
  for (let at = 0; at < pairs.length; at += 2)
    if (!pairs[at]!.startsWith(':')) fields.push([pairs[at]!, pairs[at + 1]!])
  return fields
}

function headersOf(fields: readonly Field[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of fields) headers[name] = name in headers ? [headers[name]!, value].flat() : value
  return headers
}

/** A client whose requests share one session. */
export function http2Client(t: TestContext, port: number): Client {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  t.after(() => session.destroy())

  function read(stream: ClientHttp2Stream): Promise<Reply> {
    return new Promise((resolve) => {
      let status = 0
      let fields: Field[] = []
      let body = ''
      let trailers: Field[] = []
      let whole = false
      const interim: { status: number; fields: Field[] }[] = []
      stream.on('headers', (headers: IncomingHttpHeaders & { ':status'?: number }, _bits, pairs: string[]) =>
        interim.push({ status: Number(headers[':status']), fields: fieldsOf(pairs, headers) }),
      )
      stream.on('response', (headers, _bits, pairs?: string[]) => {
        status = Number(headers[':status'])
        fields = fieldsOf(pairs, headers)
      })
      stream.on('trailers', (headers, _bits, pairs?: string[]) => (trailers = fieldsOf(pairs, headers)))
      stream.setEncoding('latin1').on('data', (text: string) => (body += text))
      stream.on('end', () => (whole = true))
      stream.on('error', () => {})
      stream.on('close', () =>
        resolve({
          status,
          fields,
          body,
          trailers,
          interim,
          whole: whole && status > 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR,
        }),
      )
    })
  }

  return {
    async ask({ method = 'GET', path, host = 'a.example', fields = [], body, sized, trailers, open, paused }) {
      const length: Field[] = body !== undefined && sized === true ? [['content-length', `${body.length}`]] : []
      const stream = session.request(
        { ':method': method, ':path': path, ':authority': host, ...headersOf([...fields, ...length]) },
        { endStream: body === undefined, waitForTrailers: trailers !== undefined },
      )
      if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(headersOf(trailers)))
      const reply = read(stream)
      if (paused === true) stream.pause()
      if (body !== undefined) {
        const half = body.length >> 1
        const send = () => {
          stream.write(body.slice(0, half), 'latin1')
          if (open !== true) stream.end(body.slice(half), 'latin1')
        }
        if (fields.some(([name]) => name === 'expect')) stream.once('continue', send)
        else send()
      }
      await once(stream, stream.pending ? 'ready' : 'close', { signal: AbortSignal.timeout(1) }).catch(() => {})
      return {
        reply,
        finish: (rest) => stream.end(rest, 'latin1'),
        // Not `close`, which would end the body first.
        abort: () => stream.destroy(new Error('aborted')),
        resume: () => stream.resume(),
      } satisfies Asking
    },
  }
}

function answerOn(stream: ServerHttp2Stream): Answer {
  let trailing: readonly Field[] = []
  stream.on('wantTrailers', () => stream.sendTrailers(headersOf(trailing)))
  return {
    interim: (status, fields) => stream.additionalHeaders({ ':status': status, ...headersOf(fields) }),
    head: (status, fields = [], endStream = false) =>
      stream.respond({ ':status': status, ...headersOf(fields) }, { endStream, waitForTrailers: !endStream }),
    data: (text) => void stream.write(text, 'latin1'),
    end: (trailers = []) => {
      trailing = trailers
      stream.end()
    },
    cut: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    get unsent() {
      return stream.writableLength
    },
  }
}

/** A backend that speaks HTTP/2 in clear. */
export async function http2Backend(t: TestContext, roles: ReadonlyMap<string, Role>): Promise<Backend> {
  const asked = new Map<string, Asked>()
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket: Socket) => void sockets.add(socket))
  server.on('stream', (stream: ServerHttp2Stream, headers, _bits, pairs?: string[]) => {
    const path = headers[':path']!
    const one: Asked = {
      method: headers[':method']!,
      path,
      host: headers[':authority'] ?? '',
      fields: fieldsOf(pairs, headers),
      body: '',
      trailers: [],
      whole: false,
      broken: false,
    }
    asked.set(path, one)
    const role = roles.get(path)
    stream.on('error', () => {})
    stream.setEncoding('latin1').on('data', (text: string) => (one.body += text))
    stream.on('trailers', (fields, _flags, raw?: string[]) => (one.trailers = fieldsOf(raw, fields)))
    stream.on('aborted', () => (one.broken = true))
    stream.on('end', () => {
      if (stream.aborted) return
      one.whole = true
      if (role?.early !== true) role?.answer(answerOn(stream), one)
    })
    if (role?.early === true) role.answer(answerOn(stream), one)
  })
  const url = await listen(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url, asked }
}
