import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A backend on a free port, which answers with its name and the request. */
function start(name: string): Promise<string> {
  const server = createServer(({ method, url }, response) => response.end(`${name}: ${method} ${url}\n`))
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    // It does not keep the process running.
    server.unref()
  })
}

/** The backends of the examples: the addresses in BACKENDS, comma-separated, or three small servers a, b and c. */
export const backends = process.env.BACKENDS?.split(',') ?? (await Promise.all(['a', 'b', 'c'].map(start)))
