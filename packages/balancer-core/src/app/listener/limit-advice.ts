import type { FastifyInstance } from 'fastify'
import { speaksHttp2 } from './server-kind.ts'
import { optionsOf } from './server-options.ts'

/** The first versions without CVE-2026-21714 and CVE-2026-48937, by their major number: later ones never had them. */
const mended: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [22, 2],
  23: [Infinity, 0],
  24: [14, 1],
}

/** Can clients exhaust the memory of an HTTP/2 server of this version? */
export function isVulnerable(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const fixed = mended[major]
  if (fixed === undefined) return false
  return minor < fixed[0] || (minor === fixed[0] && patch < fixed[1])
}

const advised = new WeakSet<object>()

/** Logs, once for each app, what an operator should change about an HTTP/2 listener and a plugin cannot. */
export function adviseOnLimits(app: FastifyInstance, version = process.versions.node): void {
  const { server } = app
  if (!speaksHttp2(server) || advised.has(server)) return
  advised.add(server)
  app.addHook('onReady', async () => {
    if (isVulnerable(version))
      app.log.warn(
        `Node ${version} lets clients of its HTTP/2 server exhaust its memory (CVE-2026-21714, CVE-2026-48937): use Node 22.22.2, 24.14.1 or later`,
      )
    const options = optionsOf(server)
    if (options === undefined) return
    const { maxSessionMemory, streamResetBurst } = options as { maxSessionMemory?: number; streamResetBurst?: number }
    const faults = [
      ...(maxSessionMemory === undefined ? ['refuses requests of a client that has 10 MB of responses unread'] : []),
      ...(streamResetBurst === undefined ? ['disconnects a client that cancels 1000 requests at once'] : []),
    ]
    if (faults.length === 0) return
    app.log.warn(
      `this HTTP/2 listener ${faults.join(', and ')}; for the limits of other proxies, write Fastify({ http2: true, ...listenerDefaults(${'setSecureContext' in server ? '{ https: … }' : ''}) })`,
    )
  })
}
