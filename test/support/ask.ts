import { request, type Agent, type OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'

/** What a client saw of its request. */
export interface Answer {
  /** 0 when the connection ended before any status. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The response arrived to its proper end. */
  readonly whole: boolean
  /** What broke the connection, if anything did. */
  readonly error: Error | undefined
}

export interface Question {
  readonly method?: string
  /** An array is sent as it is: name, value, name, value. */
  readonly headers?: OutgoingHttpHeaders | readonly string[]
  readonly body?: string | Buffer | Readable
  /** Without one, the request has a connection of its own. */
  readonly agent?: Agent
  readonly signal?: AbortSignal
}

/** Asks, and always answers: a broken connection is an answer too. */
export function ask(
  url: string,
  { method = 'GET', headers = {}, body, agent, signal }: Question = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0
    let received: Answer['headers'] = {}
    const chunks: Buffer[] = []
    const settle = (whole: boolean, error?: Error) => {
      if (body instanceof Readable) body.destroy()
      resolve({ status, headers: received, body: Buffer.concat(chunks).toString(), whole, error })
    }
    const outgoing = request(url, {
      method,
      headers,
      agent: agent ?? false,
      ...(signal !== undefined && { signal }),
    })
    outgoing.on('response', (response) => {
      status = response.statusCode!
      received = response.headers
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => settle(false, error))
      response.on('close', () => settle(response.complete))
    })
    outgoing.on('error', (error) => {
      if (status === 0) settle(false, error)
    })
    if (body instanceof Readable) body.pipe(outgoing)
    else outgoing.end(body)
  })
}
