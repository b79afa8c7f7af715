// Room `demo`: three backends to play with, for those who give no addresses.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLocalName } from '../guard/only-local.ts'

/** Backends to play with. */
export interface Demo {
  readonly backends: readonly { readonly id: string; readonly url: string }[]
  /** Without it, they end with the process, and do not hold it up. */
  close(): void
}

// Not so far apart that the slow one counts as an outlier, and is left alone.
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

/** One backend: it answers with its name after its delay, and `POST /stop` makes it disappear for a while. */
async function startBackend(name: string, delay: number, downtime: number) {
  const server = createServer((request, response) => {
    const stops = request.method === 'POST' && request.url === '/stop'
    request.resume()
    response.setHeader('x-backend', name)
    setTimeout(() => {
      if (stops) response.once('close', disappear)
      response.end(stops ? `${name} is gone for ${downtime / 1000} s\n` : `${name}, after ${delay} ms\n`)
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
    // The port was free for a while, so somebody else may have it.
    listen(server, port).catch(disappear)
  }
  return { id: name, url: `http://127.0.0.1:${port}`, close }
}

/** Starts three backends of different speed on free ports of the loopback; `downtime` is how long a stop lasts, in ms. */
export async function startDemo(downtime: number): Promise<Demo> {
  const started = await Promise.all(Object.entries(speeds).map(([name, delay]) => startBackend(name, delay, downtime)))
  return {
    backends: started.map(({ id, url }) => ({ id, url })),
    close() {
      for (const backend of started) backend.close()
    },
  }
}

/** The three lines that say what to try, for a balancer that listens at `url` over such backends. */
export function invitation(url: string, downtime: number): string {
  const { host, hostname, protocol } = new URL(url)
  // To curl, brackets mean a range.
  const at = host.replace(/^\[.*\]/, 'localhost')
  const isSecure = protocol === 'https:'
  // The certificate may be one that nobody has signed.
  const curl = isSecure ? 'curl -k' : 'curl'
  const asked = isSecure ? `https://${at}` : at
  const page = isLocalName(hostname)
    ? `${protocol}//${at}/_balancer/dashboard/  shows it live; each request has a line below. See also --help`
    : 'each request has a line below. With --host 127.0.0.1 there is a page, too. See also --help'
  return [
    `Try   ${curl} "${asked}/[1-6]"          ${Object.keys(speeds).join(', ')} take turns`,
    `Stop  ${curl} -i -X POST ${asked}/stop  stops the one that answers for ${downtime / 1000} s; try again: nothing fails`,
    `Look  ${page}`,
    '',
  ].join('\n')
}
