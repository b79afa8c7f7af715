import type { AdminConfiguration, Configuration, Listener } from '../configuration/configuration.ts'
import { givenToken } from '../guard/given-token.ts'
import type { BackendAddress } from '../values/backend-address.ts'
import { policiesWithSettings, policyNames } from '../plugin/policies.ts'
import { logForms } from './options.ts'
import { readProxyProtocol } from './proxy-protocol.ts'
import { readTrustProxy } from './trust-proxy.ts'
import { integer, oneOf, path, workers } from '../values/plain-values.ts'
import { wrong } from '../values/wrong-arguments.ts'

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What was given, by the names of the options. */
export interface Values {
  readonly port?: string
  readonly host?: string
  readonly 'tls-cert'?: string
  readonly 'tls-key'?: string
  readonly http2?: boolean
  readonly 'trust-proxy'?: string
  readonly 'proxy-protocol'?: string
  readonly workers?: string
  readonly policy?: string
  readonly 'health-path'?: string
  readonly 'drain-deadline'?: string
  readonly dashboard?: boolean
  readonly metrics?: boolean
  readonly 'admin-token-file'?: string
  readonly 'admin-password-file'?: string
  readonly log?: string
}

function portOf({ port }: Values, { PORT }: Environment): number {
  if (port !== undefined) return integer('--port', port, 65_535)
  return PORT === undefined || PORT === '' ? 8080 : integer('the variable PORT', PORT, 65_535)
}

function tlsOf({ 'tls-cert': cert, 'tls-key': key }: Values): Listener['tls'] {
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert !== undefined) throw wrong('--tls-cert needs --tls-key, the file of its key')
  if (key !== undefined) throw wrong('--tls-key needs --tls-cert, the file of the certificate')
  return undefined
}

function listenerOf(values: Values, environment: Environment): Listener {
  const { host = '127.0.0.1', http2 = false, 'trust-proxy': trustProxy, 'proxy-protocol': fromProxies } = values
  if (host === '') throw wrong('--host needs a value')
  const tls = tlsOf(values)
  if (http2 && tls === undefined && fromProxies === undefined)
    throw wrong('--http2 needs --tls-cert and --tls-key: browsers speak HTTP/2 with TLS only')
  return {
    port: portOf(values, environment),
    // As addresses stand in URLs.
    host: host.replace(/^\[(.+)\]$/, '$1'),
    ...(tls !== undefined && { tls }),
    ...(http2 && { http2 }),
    ...(trustProxy !== undefined && { trustProxy: readTrustProxy(trustProxy) }),
    ...(fromProxies !== undefined && { proxyProtocol: readProxyProtocol(fromProxies) }),
  }
}

/** The policy of that name. @throws CommandError */
function policyNamed(name: string): (typeof policyNames)[number] {
  if (policiesWithSettings.includes(name))
    throw wrong(
      `--policy ${name} needs settings: give them in a file, as \`policy: { name: ${name}, … }\`, for --config`,
    )
  return oneOf('policy', name, policyNames)
}

/**
 * What the options and variables describe, as a file would.
 * @throws CommandError
 */
export function configurationOf(
  values: Values,
  backends: readonly BackendAddress[],
  environment: Environment,
): { readonly configuration: Configuration; readonly warnings: readonly string[] } {
  const { policy = 'round-robin', 'health-path': healthPath = '/', 'drain-deadline': deadline = '30000' } = values
  const { dashboard = false, metrics = false, 'admin-password-file': basicAuth, log } = values
  const { token, warning } = givenToken(values['admin-token-file'], environment)
  // The demo has the page; who gives backends asks for it.
  const hasPage = dashboard || backends.length === 0
  const admin: AdminConfiguration = {
    ...(token !== undefined && { token }),
    ...(basicAuth !== undefined && { basicAuth }),
  }
  const balancer = {
    backends: [...backends],
    policy: policyNamed(policy),
    drainDeadline: integer('--drain-deadline', deadline, 2_147_483_647),
    healthCheck: healthPath === 'off' ? { type: 'none' as const } : { path: path('health-path', healthPath) },
  }
  const configuration: Configuration = {
    ...(values.workers !== undefined && { workers: workers(values.workers) }),
    listen: [listenerOf(values, environment)],
    balancers: [balancer],
    admin: hasPage || token !== undefined || basicAuth !== undefined ? admin : false,
    metrics: metrics ? {} : false,
    dashboard: hasPage ? {} : false,
    underPressure: false,
    log: log === undefined ? {} : { form: oneOf('log', log, logForms) },
  }
  return { configuration, warnings: warning === undefined ? [] : [warning] }
}
