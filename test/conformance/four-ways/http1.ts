import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { unchanged, until } from '../../support/until.ts'
import { startWireBackend, type WireConnection } from '../wire-backend.ts'
import { wireClient } from '../wire-client.ts'
import type { WireMessage } from '../wire-message.ts'
import type { Answer, Asked, Asking, Backend, Client, Field, Reply, Role } from './exchange.ts'

const lines = (fields: readonly Field[]) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
const chunk = (text: string) => (text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`)
const lower = (fields: WireMessage['fields']): Field[] => fields.map(([name, value]) => [name.toLowerCase(), value])

const nothing: Reply = { status: 0, fields: [], body: '', trailers: [], interim: [], whole: false }

/** A client that writes requests on bare TCP, each on a connection of its own. */
export function http1Client(t: TestContext, port: number): Client {
  return {
    async ask({ method = 'GET', path, host = 'a.example', fields = [], body, sized, trailers, open, paused }) {
      const client = await wireClient(t, port)
      if (paused === true) client.socket.pause()
      const isChunked = body !== undefined && sized !== true
      const framing: Field[] =
        body === undefined
          ? []
          : sized === true
            ? [['content-length', `${body.length}`]]
            : [['transfer-encoding', 'chunked']]
      const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines([...fields, ...framing])}\r\n`
      const end = isChunked ? `0\r\n${lines(trailers ?? [])}\r\n` : ''
      const half = (body ?? '').length >> 1
      const expects = fields.some(([name]) => name === 'expect')
      const pieces = (text: string) => (isChunked ? chunk(text) : text)
      if (expects) client.send(head)
      else if (open === true) client.send(head + pieces(body!.slice(0, half)))
      else client.send(head + pieces((body ?? '').slice(0, half)) + pieces((body ?? '').slice(half)) + end)
      const read = async (): Promise<Reply> => {
        const interim: { status: number; fields: Field[] }[] = []
        try {
          // To look for the end of a long response again and again would take long itself.
          if (paused === true)
            await once(client.socket, 'resume').then(() =>
              until(
                'all has come',
                unchanged(() => client.socket.bytesRead),
              ),
            )
          for (;;) {
            // oxlint-disable-next-line no-await-in-loop -- one response after the other
            const message = await client.response({ bodyless: method === 'HEAD' })
            const { status } = message
            if (status >= 200) {
              client.socket.destroy()
              return {
                ...message,
                fields: lower(message.fields),
                trailers: lower(message.trailers),
                interim,
                whole: true,
              }
            }
            interim.push({ status, fields: lower(message.fields) })
            if (status === 100 && expects) client.send(pieces(body!) + end)
          }
        } catch {
          return { ...nothing, status: Number(/^HTTP\/1\.1 (\d+)/.exec(client.rest)?.[1] ?? 0), interim }
        }
      }
      return {
        reply: read(),
        finish: (rest) => client.send(pieces(rest) + end),
        abort: () => client.socket.destroy(),
        resume: () => client.socket.resume(),
      } satisfies Asking
    },
  }
}

function answerOn({ socket, send }: WireConnection, method: string): Answer {
  let isChunked = false
  return {
    interim: (status, fields) => send(`HTTP/1.1 ${status} Interim\r\n${lines(fields)}\r\n`),
    head: (status, fields = [], end = false) => {
      const isBodyless = method === 'HEAD' || status === 204 || status === 304
      isChunked = !isBodyless && !fields.some(([name]) => name === 'content-length')
      send(`HTTP/1.1 ${status} Status\r\n${lines(fields)}${isChunked ? 'transfer-encoding: chunked\r\n' : ''}\r\n`)
      if (end && isChunked) send('0\r\n\r\n')
    },
    data: (text) => send(isChunked ? chunk(text) : text),
    end: (trailers = []) => isChunked && send(`0\r\n${lines(trailers)}\r\n`),
    cut: () => void socket.destroy(),
    get unsent() {
      return socket.writableLength
    },
  }
}

/** A backend on bare TCP. */
export async function http1Backend(t: TestContext, roles: ReadonlyMap<string, Role>): Promise<Backend> {
  const asked = new Map<string, Asked>()
  const { url } = await startWireBackend(
    t,
    (message, connection) => {
      const [method = '', path = ''] = message.start.split(' ')
      const one = asked.get(path)!
      one.body = message.body
      one.trailers = lower(message.trailers)
      one.whole = true
      const role = roles.get(path)
      if (role?.early !== true) role?.answer(answerOn(connection, method), one)
    },
    {
      onHead(head, connection) {
        const [start = '', ...rest] = head.trimEnd().split('\r\n')
        const [method = '', path = ''] = start.split(' ')
        const fields: Field[] = rest.map((line) => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
        })
        const host = fields.find(([name]) => name === 'host')?.[1] ?? ''
        const one: Asked = { method, path, host, fields, body: '', trailers: [], whole: false, broken: false }
        asked.set(path, one)
        connection.socket.once('close', () => (one.broken ||= !one.whole))
        if (fields.some(([name]) => name === 'expect')) connection.send('HTTP/1.1 100 Continue\r\n\r\n')
        const role = roles.get(path)
        if (role?.early === true) role.answer(answerOn(connection, method), one)
      },
    },
  )
  return { url, asked }
}
