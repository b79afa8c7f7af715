import { join } from 'node:path'
import { freePorts } from '../../free-port.ts'
import { nginxVersion, startNginx } from '../../nginx.ts'
import { connectTimeout, headersTimeout, type FaultSubject } from './subject.ts'

/**
 * Its documentation (ngx_http_upstream_module, `max_fails`): errors, timeouts and invalid headers always count as
 * failures of a server, statuses only where `proxy_next_upstream` names them. So all that speak of a sick server are
 * named; with its default alone it could not notice `errors`. What is named is also passed on to the next server.
 */
const nextUpstream = 'error timeout http_500 http_502 http_503 http_504'

/** Its free edition, which has no probes. */
export const nginxForFaults: FaultSubject = {
  name: 'nginx',
  title: 'nginx',
  setting: `max_fails=1 fail_timeout=10s (its defaults), proxy_next_upstream ${nextUpstream}; it has no probes`,
  version: nginxVersion,
  async start(backends, directory) {
    const [port = 0] = await freePorts(1)
    const servers = backends.map((backend) => `server 127.0.0.1:${backend} max_fails=1 fail_timeout=10s;`).join(' ')
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
      proxy_connect_timeout ${connectTimeout}ms;
      proxy_read_timeout ${headersTimeout}ms;
      proxy_next_upstream ${nextUpstream};
    }
  }`,
    )
    await child.listensOn(port)
    return { child, port }
  },
}
