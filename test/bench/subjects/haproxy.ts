import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../child.ts'
import { freePorts } from '../free-port.ts'
import { programVersion } from '../versions.ts'
import type { Subject } from './subject.ts'

export const haproxy: Subject = {
  name: 'haproxy',
  title: 'HAProxy',
  backends: 3,
  version: () => programVersion('haproxy', '-v'),
  async start(backends, directory) {
    const [port = 0] = await freePorts(1)
    const file = join(directory, 'haproxy.cfg')
    const servers = backends.map((backend) => `  server backend-${backend} 127.0.0.1:${backend}`)
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  http-reuse always
listen balancer
  bind 127.0.0.1:${port} backlog 4096
  balance roundrobin
${servers.join('\n')}
`,
    )
    const child = new Child('haproxy', ['-db', '-f', file], { side: 'proxy' })
    await child.listensOn(port)
    return { child, port }
  },
}
