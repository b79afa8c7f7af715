import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { freePorts } from './free-port.ts'
import type { RunningServer } from './node-program.ts'
import { programVersion } from './versions.ts'

/** undefined when Caddy is not installed. */
export const caddyVersion = (): string | undefined => programVersion('caddy', 'version')

/** Starts Caddy on one core, in front of backends on these ports of the loopback; more lines for its `reverse_proxy`. */
export async function startCaddy(
  backends: readonly number[],
  directory: string,
  {
    policy = 'round_robin',
    proxy = [],
    transport = [],
    servers = [],
  }: {
    readonly policy?: string
    readonly proxy?: readonly string[]
    readonly transport?: readonly string[]
    readonly servers?: readonly string[]
  } = {},
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  const file = join(directory, 'Caddyfile')
  // Its default of 32 idle connections to each backend would have it reconnect under 64 clients.
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  ${servers.length === 0 ? '' : `servers {\n    ${servers.join('\n    ')}\n  }`}
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${backends.map((backend) => `127.0.0.1:${backend}`).join(' ')} {
    ${[`lb_policy ${policy}`, ...proxy].join('\n    ')}
    transport http {
      ${['keepalive_idle_conns_per_host 128', ...transport].join('\n      ')}
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
}
