import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http'
import { playCall } from './call-client.ts'
import type { Channel } from './channel.ts'
import { isCall, type Ending, type HttpPart, type Part } from './parts.ts'
import { playTunnel } from './tunnel-client.ts'

/** What each part must end with: anything else is a fault. */
export const expectedEndings: Record<Part, readonly Ending[]> = {
  plain: ['answered'],
  'abort-at-once': ['left'],
  'abort-before-headers': ['left'],
  'abort-upload': ['left'],
  'abort-mid-body': ['left'],
  'reset-before-headers': ['refused'],
  // The reset may overtake the headers.
  'reset-mid-body': ['broken', 'refused'],
  'events-whole': ['answered'],
  'events-left': ['left'],
  'tunnel-whole': ['answered'],
  'tunnel-left': ['left'],
  'tunnel-reset': ['broken'],
  'tunnel-refused': ['refused'],
  'call-unary': ['OK'],
  'call-stream': ['OK'],
  'call-refused': ['ASKED FOR'],
  'call-cancelled': ['CANCELLED'],
  'call-stream-cancelled': ['CANCELLED'],
  'call-stream-left': ['CANCELLED'],
  'call-late': ['DEADLINE_EXCEEDED'],
  'call-stream-late': ['DEADLINE_EXCEEDED'],
  // The balancer can send a status only when it has sent all that came before.
  'call-stream-reset': ['UNAVAILABLE', 'reset'],
}

/** What a client has of the proxy. */
export interface Doors {
  readonly port: number
  readonly agent: Agent
  /** For calls of gRPC. */
  readonly channel: Channel
}

const upload = Buffer.alloc(1024, 'x')

/** Plays one part to its end. */
export function play(part: Part, doors: Doors, random: () => number): Promise<Ending> {
  if (isCall(part)) return playCall(part, doors.channel, random)
  return part.startsWith('tunnel') ? playTunnel(part, doors.port) : playRequest(part, doors, random)
}

function playRequest(part: HttpPart, { port, agent }: Doors, random: () => number): Promise<Ending> {
  const uploads = part === 'abort-upload' || (random() < 0.2 && !part.startsWith('events'))
  const path = `/${part}`
  const method = uploads ? 'POST' : 'GET'
  const headers = uploads ? { 'content-length': part === 'abort-upload' ? upload.length * 2 : upload.length } : {}

  return new Promise((resolve) => {
    const request = httpRequest({ host: '127.0.0.1', port, agent, path, method, headers })
    let left = false
    const leave = () => {
      left = true
      request.destroy()
      resolve('left')
    }
    request.once('error', () => resolve(left ? 'left' : 'broken'))
    request.once('response', (response) => {
      if (part === 'abort-mid-body' || part === 'events-left')
        response.once('data', () => setTimeout(leave, random() * 10))
      void read(response).then((ending) => resolve(left ? 'left' : ending))
    })
    if (part === 'abort-upload') request.write(upload)
    else request.end(uploads ? upload : undefined)
    if (part === 'abort-at-once') request.once('socket', () => setImmediate(leave))
    if (part === 'abort-before-headers' || part === 'abort-upload') setTimeout(leave, random() * 20)
  })
}

async function read(response: IncomingMessage): Promise<Ending> {
  try {
    for await (const _ of response);
    return response.statusCode === 200 ? 'answered' : 'refused'
  } catch {
    return 'broken'
  }
}
