import { addressOf, connector } from './connection.ts'
import type { ProbeOptions } from './probe-options.ts'
import type { Probe } from './probing.ts'

/** Healthy = accepts a connection; with `https://`, including the TLS handshake. */
export function tcpProbe({ port }: Pick<ProbeOptions, 'port'>): Probe {
  const connect = connector(port)
  return (backend, probing) => {
    const { url, isSecure, port: at, socketPath } = addressOf(backend, port)
    probing.sent = `${isSecure ? 'TLS' : 'TCP'} connect ${socketPath ?? `${url.hostname}:${at}`}`
    connect(backend, probing, () => probing.good('connected'))
  }
}
