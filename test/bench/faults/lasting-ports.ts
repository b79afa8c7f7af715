import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Below it are services. */
const lowest = 10_000

/**
 * Free ports of the loopback that stay free while nobody listens there. The system takes the ports of outgoing
 * connections from a range of its own: in that range, one of them could sit on the port of a dead backend, or even be
 * connected to itself.
 */
export async function lastingPorts(count: number): Promise<number[]> {
  const rangeStart = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').split(/\s/)[0])
  const ports: number[] = []
  // From somewhere in the middle, so that two benchmarks at a time do not meet.
  const first = lowest + Math.floor(Math.random() * (rangeStart - lowest))
  for (let port = first; ports.length < count; port++) {
    if (port === rangeStart) port = lowest
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
