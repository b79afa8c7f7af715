import { request as requestHttp } from 'node:http'
import type { Socket } from 'node:net'
import type { ProbeRequest, Reader } from './answer-reader.ts'

/** Sends the request over a connection for this probe only; `Connection: close` tells the backend so. */
export function askHttp1(socket: Socket, request: ProbeRequest, reader: Reader): void {
  const { method, path, authority, headers } = request
  const asked = requestHttp({
    createConnection: () => socket,
    setHost: false,
    method,
    path,
    headers: { host: authority, ...headers },
  })
  asked.on('response', (response) => {
    response.on('error', (error) => reader.onError(error))
    response.on('data', (chunk: Buffer) => reader.onData(chunk))
    response.on('end', () => reader.onEnd())
    reader.onStatus(response.statusCode!, response.headers)
  })
  // An unexpected 101: no body follows.
  asked.on('upgrade', (response) => {
    reader.onStatus(response.statusCode!, response.headers)
    reader.onEnd()
  })
  asked.on('error', (error) => reader.onError(error))
  asked.end()
}
