import { caddyVersion, startCaddy } from '../../caddy.ts'
import { connectTimeout, headersTimeout, type FaultSubject } from './subject.ts'

const checks = [
  'fail_duration 10s',
  'max_fails 3',
  'unhealthy_status 5xx',
  'health_uri /health',
  'health_interval 5s',
  'lb_try_duration 2s',
]

const transport = [`dial_timeout ${connectTimeout}ms`, `response_header_timeout ${headersTimeout}ms`]

export const caddyForFaults: FaultSubject = {
  name: 'caddy',
  title: 'Caddy',
  setting: checks.join(', '),
  version: caddyVersion,
  start: (ports, directory) => startCaddy(ports, directory, { proxy: checks, transport }),
}
