import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../../child.ts'
import { freePorts } from '../../free-port.ts'
import { programVersion } from '../../versions.ts'
import { connectTimeout, headersTimeout, type FaultSubject } from './subject.ts'

const checks = [
  'fail_duration 10s',
  'max_fails 3',
  'unhealthy_status 5xx',
  'health_uri /health',
  'health_interval 5s',
  'lb_try_duration 2s',
]

export const caddyForFaults: FaultSubject = {
  name: 'caddy',
  title: 'Caddy',
  setting: checks.join(', '),
  version: () => programVersion('caddy', 'version'),
  async start(backends, directory) {
    const [port = 0] = await freePorts(1)
    const file = join(directory, 'Caddyfile')
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${backends.map((backend) => `127.0.0.1:${backend}`).join(' ')} {
    lb_policy round_robin
    ${checks.join('\n    ')}
    transport http {
      dial_timeout ${connectTimeout}ms
      response_header_timeout ${headersTimeout}ms
      keepalive_idle_conns_per_host 128
    }
  }
}
`,
    )
    const child = new Child('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      side: 'proxy',
      environment: { GOMAXPROCS: '1', HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    })
    await child.listensOn(port)
    return { child, port }
  },
}
