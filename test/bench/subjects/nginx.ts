import { join } from 'node:path'
import { freePorts } from '../free-port.ts'
import { nginxVersion, startNginx } from '../nginx.ts'
import type { Subject } from './subject.ts'

export const nginx: Subject = {
  name: 'nginx',
  title: 'nginx',
  backends: 3,
  version: nginxVersion,
  async start(backends, directory) {
    const [port = 0] = await freePorts(1)
    const servers = backends.map((backend) => `server 127.0.0.1:${backend};`).join(' ')
    const child = startNginx(
      join(directory, 'nginx'),
      'proxy',
      1,
      `
  upstream backends { ${servers} keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`,
    )
    await child.listensOn(port)
    return { child, port }
  },
}
