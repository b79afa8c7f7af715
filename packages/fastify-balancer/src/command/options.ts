import type { LogForm } from '../configuration/configuration.ts'
import { policiesWithSettings, policyNames } from '../plugin/policies.ts'

/** How the log can be written. */
export const logForms: readonly LogForm[] = ['pretty', 'json', 'off']

/** The headings of `--help`, in order. */
export const headings = ['Listen', 'Balance', 'Watch and operate', 'Other'] as const

/** One option: as `parseArgs` reads it, and as `--help` prints it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly heading: (typeof headings)[number]
  /** What stands for its value in `--help`. */
  readonly value?: string
  readonly description: string
}

/** Every option. */
export const options = {
  port: {
    type: 'string',
    short: 'p',
    heading: 'Listen',
    value: 'port',
    description: 'port, or $PORT; 0 = any free one (8080)',
  },
  host: {
    type: 'string',
    heading: 'Listen',
    value: 'address',
    description: 'address; 0.0.0.0 or :: opens it to the network (127.0.0.1)',
  },
  'tls-cert': {
    type: 'string',
    heading: 'Listen',
    value: 'file',
    description: 'speak TLS, with this certificate (PEM)',
  },
  'tls-key': { type: 'string', heading: 'Listen', value: 'file', description: 'the key of the certificate (PEM)' },
  http2: { type: 'boolean', heading: 'Listen', description: 'speak HTTP/2 too; needs --tls-cert' },
  'trust-proxy': {
    type: 'string',
    heading: 'Listen',
    value: 'list',
    description:
      'trust X-Forwarded-* headers from these proxies: addresses, networks, or all; without a list, from private networks',
  },
  'proxy-protocol': {
    type: 'string',
    heading: 'Listen',
    value: 'list',
    description: 'addresses and networks of proxies that send a PROXY protocol header, v1 or v2',
  },
  workers: {
    type: 'string',
    heading: 'Balance',
    value: 'n',
    description: 'processes that share the work; auto = one for each core (1)',
  },
  policy: {
    type: 'string',
    heading: 'Balance',
    value: 'name',
    description: `${policyNames.join(', ')} (round-robin). Settings, which ${policiesWithSettings.join(' and ')} need, go into a file`,
  },
  'health-path': {
    type: 'string',
    heading: 'Balance',
    value: 'path',
    description: 'path of the health check, a HEAD request; off = no checks (/)',
  },
  'drain-deadline': {
    type: 'string',
    heading: 'Balance',
    value: 'ms',
    description: 'how long requests and WebSockets may go on after SIGTERM; 0 = no limit (30000)',
  },
  dashboard: {
    type: 'boolean',
    heading: 'Watch and operate',
    description: 'a live page and the admin API, at /_balancer/',
  },
  metrics: { type: 'boolean', heading: 'Watch and operate', description: 'Prometheus metrics, at /metrics' },
  'admin-token-file': {
    type: 'string',
    heading: 'Watch and operate',
    value: 'file',
    description: 'file with a token that gives other machines access to these; or set $BALANCER_ADMIN_TOKEN',
  },
  'admin-password-file': {
    type: 'string',
    heading: 'Watch and operate',
    value: 'file',
    description: 'htpasswd file with names and passwords that give other machines access to these',
  },
  config: { type: 'string', short: 'c', heading: 'Other', value: 'file', description: 'run this configuration file' },
  log: {
    type: 'string',
    heading: 'Other',
    value: 'form',
    description: `${logForms.join(', ')} (pretty on a terminal, otherwise json)`,
  },
  help: { type: 'boolean', short: 'h', heading: 'Other', description: 'print this' },
  version: { type: 'boolean', short: 'v', heading: 'Other', description: 'print the version' },
} as const satisfies Readonly<Record<string, CommandOption>>
