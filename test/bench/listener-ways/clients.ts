import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { LoadTunnel } from '../tunnels/tunnel.ts'

/** What a client keeps open. */
export type Kind = 'HTTP/1.1' | 'HTTP/2' | 'WebSocket'

/** Opens one connection and waits for an answer on it; the answer here closes it. */
export const openers: Record<Kind, (port: number) => Promise<() => void>> = {
  async 'HTTP/1.1'(port) {
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n')
    await once(socket, 'data')
    return () => void socket.destroy()
  },
  async 'HTTP/2'(port) {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const stream = session.request({ ':path': '/' }).resume()
    await once(stream, 'end')
    return () => session.destroy()
  },
  async WebSocket(port) {
    const tunnel = await LoadTunnel.open(port, 64)
    return () => tunnel.stop()
  },
}
