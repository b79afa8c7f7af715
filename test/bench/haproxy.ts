import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { freePorts } from './free-port.ts'
import type { RunningServer } from './node-program.ts'
import { programVersion } from './versions.ts'

/** undefined when HAProxy is not installed. */
export const haproxyVersion = (): string | undefined => programVersion('haproxy', '-v')

/** Starts HAProxy with one thread, in front of backends on these ports of the loopback; more lines for its `listen`. */
export async function startHaproxy(
  backends: readonly number[],
  directory: string,
  {
    listen = [],
    connect = '5s',
    server = '1m',
  }: { listen?: readonly string[]; connect?: string; server?: string } = {},
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  const file = join(directory, 'haproxy.cfg')
  const servers = backends.map((backend) => `server backend-${backend} 127.0.0.1:${backend}`)
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect ${connect}
  timeout client 1m
  timeout server ${server}
  http-reuse always
listen balancer
  bind 127.0.0.1:${port} backlog 4096
  ${['balance roundrobin', ...listen, ...servers].join('\n  ')}
`,
  )
  const child = new Child('haproxy', ['-db', '-f', file], { side: 'proxy' })
  await child.listensOn(port)
  return { child, port }
}
