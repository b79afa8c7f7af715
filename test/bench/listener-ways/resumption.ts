import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { sizes, startWorkers, ways, type Way } from './ways.ts'

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const attempts = 40

/** How many connections could go on with the session of an earlier one. */
export interface Resumption {
  readonly way: Way
  readonly workers: number
  readonly version: (typeof versions)[number]
  readonly attempts: number
  readonly resumed: number
}

/** Asks once on a connection of its own. */
async function ask(port: number, version: (typeof versions)[number], session?: Buffer) {
  // The certificate is not what is measured.
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: version, maxVersion: version }
  const socket: TLSSocket = connect({ ...options, ...(session !== undefined && { session }) })
  let latest: Buffer | undefined
  socket.on('session', (given: Buffer) => (latest = given))
  socket.write('GET /100-bytes HTTP/1.1\r\nhost: a.example\r\n\r\n')
  await once(socket, 'data')
  const isResumed = socket.isSessionReused()
  socket.destroy()
  return { isResumed, session: latest }
}

export async function measureResumption(backends: readonly number[]): Promise<Resumption[]> {
  const measured: Resumption[] = []
  for (const way of ways)
    for (const workers of sizes) {
      const { port, child } = await startWorkers({ way, workers, listener: 'tls', backends })
      for (const version of versions) {
        const { session } = await ask(port, version)
        let resumed = 0
        for (let attempt = 0; attempt < attempts; attempt++)
          if ((await ask(port, version, session)).isResumed) resumed++
        measured.push({ way, workers, version, attempts, resumed })
      }
      await child.stop()
    }
  return measured
}
