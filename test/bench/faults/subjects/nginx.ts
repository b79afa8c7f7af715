import { nginxVersion, startNginxProxy } from '../../nginx.ts'
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
  start: (ports, directory) =>
    startNginxProxy(ports, directory, {
      server: 'max_fails=1 fail_timeout=10s',
      location: [
        `proxy_connect_timeout ${connectTimeout}ms`,
        `proxy_read_timeout ${headersTimeout}ms`,
        `proxy_next_upstream ${nextUpstream}`,
      ],
    }),
}
