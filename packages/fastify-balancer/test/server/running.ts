import type { TestContext } from 'node:test'
import { request as httpsRequest } from 'node:https'
import type { BalancerConfiguration, Configuration, Listener } from '../../src/configuration/configuration.ts'
import { buildServer, type RunningServer } from '../../src/server/running-server.ts'

/** A free port of the loopback. */
export const anyPort: Listener = { port: 0, host: '127.0.0.1' }

/** Probes would be among what backends are asked. */
const healthCheck = { type: 'none' } as const

/** A configuration of one listener, quiet, and with nothing around its balancers. */
export function configured(
  balancers: readonly BalancerConfiguration[],
  parts: Partial<Configuration> = {},
): Configuration {
  return {
    listen: [anyPort],
    balancers: balancers.map((options) => ({ healthCheck, ...options })),
    admin: false,
    metrics: false,
    dashboard: false,
    underPressure: false,
    log: { form: 'off' },
    ...parts,
  }
}

/** Runs a configuration; it is closed when the test ends. Answers the addresses of its listeners, that of the admin API last. */
export async function run(
  t: TestContext,
  configuration: Configuration,
): Promise<{ readonly server: RunningServer; readonly urls: readonly string[] }> {
  const server = await buildServer(configuration)
  t.after(() => server.close())
  await server.listen()
  return { server, urls: server.all.map(({ address }) => address!) }
}

/** Asks over TLS, and answers the body and the subject of the certificate; certificates are not verified. */
export function askSecurely(url: string): Promise<{ readonly body: string; readonly subject: string }> {
  return new Promise((resolve, reject) => {
    httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
      const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate()
      let body = ''
      response.on('data', (chunk) => (body += String(chunk)))
      response.on('end', () => resolve({ body, subject: JSON.stringify(subject) }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}
