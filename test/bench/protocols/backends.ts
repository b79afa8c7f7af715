import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePorts } from '../free-port.ts'
import { startNginx } from '../nginx.ts'
import { loadWorkers } from '../pinning.ts'
import { payload } from '../scenarios.ts'

/** A unary call: its path, and the file with its message. */
export const call = { path: '/echo.Echo/Say', headers: ['content-type: application/grpc', 'te: trailers'] } as const

/** A message of 100 bytes in its frame. */
function message(): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(100, 1)
  return Buffer.concat([head, Buffer.from(payload(100))])
}

/** The ports of nginx, by the protocol that it speaks there, and the file with a message for it. */
export interface ProtocolBackends {
  readonly http1: number
  readonly h2c: number
  readonly message: string
}

/** Starts nginx for GET of 100 bytes, and for unary calls of gRPC, whose status it sends as a trailer. */
export async function startProtocolBackends(directory: string): Promise<ProtocolBackends> {
  const [http1 = 0, h2c = 0] = await freePorts(2)
  const root = join(directory, 'files')
  mkdirSync(root)
  const file = join(root, 'message')
  writeFileSync(file, message())
  // nginx refuses POST only for a file that it finds; the answer to that is another.
  mkdirSync(join(root, dirname(call.path)))
  writeFileSync(join(root, call.path), message())
  const nginx = startNginx(
    join(directory, 'backends'),
    'load',
    loadWorkers,
    `
  http2_max_concurrent_streams 128;
  server {
    listen 127.0.0.1:${http1} backlog=4096;
    listen 127.0.0.1:${h2c} http2 backlog=4096;
    root ${root};
    location = /100-bytes { return 200 "${payload(100)}"; }
    location = ${call.path} { mirror /read; error_page 405 =200 /message; }
    location = /read { internal; return 204; }
    location = /message { internal; default_type application/grpc; add_trailer grpc-status 0; }
  }`,
  )
  for (const port of [http1, h2c]) await nginx.listensOn(port)
  return { http1, h2c, message: file }
}
