import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../../child.ts'
import { freePorts } from '../../free-port.ts'
import { programVersion } from '../../versions.ts'
import { connectTimeout, headersTimeout, type FaultSubject } from './subject.ts'

const check = 'check inter 2s fall 3 rise 2 observe layer7 error-limit 10 on-error mark-down'

/** `retry-on` keeps its default, which is failed connections only: its documentation warns of the others. */
export const haproxyForFaults: FaultSubject = {
  name: 'haproxy',
  title: 'HAProxy',
  setting: `option httpchk, ${check}; retries 3, option redispatch 1`,
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
  timeout connect ${connectTimeout}ms
  timeout client 1m
  timeout server ${headersTimeout}ms
  http-reuse always
listen balancer
  bind 127.0.0.1:${port} backlog 4096
  balance roundrobin
  retries 3
  option redispatch 1
  option httpchk HEAD /health
  default-server ${check}
${servers.join('\n')}
`,
    )
    const child = new Child('haproxy', ['-db', '-f', file], { side: 'proxy' })
    await child.listensOn(port)
    return { child, port }
  },
}
