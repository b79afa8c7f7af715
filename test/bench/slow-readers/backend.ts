import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export const mebibyte = 1024 * 1024
const offered = Buffer.alloc(64 * mebibyte, 'x')

/** Starts servers that offer a whole big body at once to `/big`, and next to nothing elsewhere. Answers their ports. */
export async function startGenerousBackends(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () =>
    createServer((request, response) => {
      const body = request.url === '/big' ? offered : Buffer.from('small')
      response.writeHead(200, { 'content-length': body.length }).end(body)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  return servers.map((server) => (server.address() as AddressInfo).port)
}
