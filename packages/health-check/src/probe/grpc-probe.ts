import type { ProbeRequest } from './answer-reader.ts'
import { addressOf, connector } from './connection.ts'
import { HealthReader } from './health-reader.ts'
import { askHttp2 } from './http2-request.ts'
import type { ProbeOptions } from './probe-options.ts'
import type { Probe } from './probing.ts'

const check = '/grpc.health.v1.Health/Check'

/** A frame with `HealthCheckRequest`, whose field 1 is the service (protobuf: tag 0x0a, length, text). */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service)
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7]
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/**
 * Healthy = the backend says so by gRPC's health protocol (grpc/doc/health-checking.md): `SERVING`. Always over HTTP/2,
 * by prior knowledge without TLS.
 */
export function grpcProbe({
  service,
  headers,
  host,
  port,
}: Pick<ProbeOptions, 'service' | 'headers' | 'host' | 'port'>): Probe {
  const body = requestOf(service)
  const fields = { ...headers, 'content-type': 'application/grpc', te: 'trailers' }
  const connect = connector(port, 'http2')
  return (backend, probing) => {
    const { url, shown } = addressOf(backend, port)
    const path = backend.base + check
    probing.sent = `gRPC ${shown}${path}${service === '' ? '' : ` for '${service}'`}`
    connect(backend, probing, (socket) => {
      const scheme = url.protocol.slice(0, -1)
      const request: ProbeRequest = { method: 'POST', path, authority: host ?? url.host, scheme, headers: fields, body }
      askHttp2(socket, request, new HealthReader(probing, service), probing)
    })
  }
}
