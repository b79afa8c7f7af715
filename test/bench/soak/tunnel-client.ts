import { request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Ending, HttpPart } from './parts.ts'

const payload = 64
/** One binary frame of a client, with a mask of zeros (RFC 6455 §5.2). */
const frame = Buffer.concat([Buffer.from([0x82, 0x80 | payload, 0, 0, 0, 0]), Buffer.alloc(payload, 'x')])

const headers = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

/** Sends a frame; once it has come back, the client closes, or leaves. */
function speak(part: HttpPart, socket: Socket, head: Buffer): Promise<Ending> {
  return new Promise((resolve) => {
    let bytes = head.length
    let isBroken = false
    const leaves = part === 'tunnel-left'
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes < frame.length) return
      if (leaves) socket.destroy()
      else socket.end()
    })
    socket.on('error', () => (isBroken = true))
    socket.on('close', () => {
      const isWhole = !isBroken && bytes >= frame.length
      resolve(isWhole ? (leaves ? 'left' : 'answered') : 'broken')
    })
    socket.write(frame)
  })
}

/** Plays the part of a WebSocket to its end. */
export function playTunnel(part: HttpPart, port: number): Promise<Ending> {
  return new Promise((resolve) => {
    const request = httpRequest({ host: '127.0.0.1', port, path: `/${part}`, headers, agent: false })
    request.once('error', () => resolve('broken'))
    request.once('response', (response) => {
      response.resume().once('close', () => resolve('refused'))
    })
    request.once('upgrade', (_response, socket, head) => resolve(speak(part, socket, head)))
    request.end()
  })
}
