// Answers each frame with one of the same length: never the limit, since it looks into none.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { frame, lengthOf } from '../tunnels/frames.ts'
import { serve } from './serve.ts'

const server = createServer((_request, response) => response.end())
server.on('upgrade', ({ headers, url = '' }, socket) => {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  const fields = `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept.digest('base64')}`
  const length = lengthOf(url)
  const asked = frame(length, true).length
  const answer = frame(length, false)
  let received = 0
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
    for (; received >= asked; received -= asked) socket.write(answer)
  })
  socket.on('end', () => socket.end())
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`)
})
serve(server)
