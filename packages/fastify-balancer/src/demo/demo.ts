// Room `demo`: three demo backends, for `fastify-balancer` without addresses.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLocalName } from '../guard/only-local.ts'

/** Demo backends. */
export interface Demo {
  readonly backends: readonly { readonly id: string; readonly url: string }[]
  /** Optional: without it, they end with the process and do not keep it alive. */
  close(): void
}

// Close enough to each other that the slow one is not ejected as an outlier.
const speeds = { fast: 5, steady: 20, slow: 40 }

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      server.unref()
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** One backend: answers with its name after a delay; `POST /stop` stops it for a while. */
async function startBackend(name: string, delay: number, downtime: number) {
  const server = createServer((request, response) => {
    const stops = request.method === 'POST' && request.url === '/stop'
    request.resume()
    response.setHeader('x-backend', name)
    setTimeout(() => {
      if (stops) response.once('close', disappear)
      response.end(stops ? `${name} stops for ${downtime / 1000} s\n` : `${name}, after ${delay} ms\n`)
    }, delay)
  })
  const port = await listen(server, 0)

  let absence: NodeJS.Timeout | undefined
  function close(): void {
    clearTimeout(absence)
    server.close()
    server.closeAllConnections()
  }
  function disappear(): void {
    close()
    absence = setTimeout(comeBack, downtime).unref()
  }
  function comeBack(): void {
    // Another process may have taken the port meanwhile.
    listen(server, port).catch(disappear)
  }
  return { id: name, url: `http://127.0.0.1:${port}`, close }
}

/** Starts three backends of different speed on free loopback ports; `downtime`: how long a stop lasts, in ms. */
export async function startDemo(downtime: number): Promise<Demo> {
  const started = await Promise.all(Object.entries(speeds).map(([name, delay]) => startBackend(name, delay, downtime)))
  return {
    backends: started.map(({ id, url }) => ({ id, url })),
    close() {
      for (const backend of started) backend.close()
    },
  }
}

/** Three lines that say what to try, for a balancer that listens at `url`. */
export function invitation(url: string, downtime: number): string {
  const { host, hostname, protocol } = new URL(url)
  // curl reads brackets as a range.
  const at = host.replace(/^\[.*\]/, 'localhost')
  const isSecure = protocol === 'https:'
  // The certificate may be self-signed.
  const curl = isSecure ? 'curl -k' : 'curl'
  const asked = isSecure ? `https://${at}` : at
  const page = isLocalName(hostname)
    ? `${protocol}//${at}/_balancer/  live dashboard; each request is logged below. More: --help`
    : 'each request is logged below. With --host 127.0.0.1 there is a live page, too. More: --help'
  return [
    `Try   ${curl} "${asked}/[1-6]"          ${Object.keys(speeds).join(', ')} take turns`,
    `Stop  ${curl} -i -X POST ${asked}/stop  stops one backend for ${downtime / 1000} s; try again: nothing fails`,
    `Look  ${page}`,
    '',
  ].join('\n')
}
