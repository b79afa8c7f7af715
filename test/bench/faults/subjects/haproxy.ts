import { haproxyVersion, startHaproxy } from '../../haproxy.ts'
import { connectTimeout, headersTimeout, type FaultSubject } from './subject.ts'

const check = 'check inter 2s fall 3 rise 2 observe layer7 error-limit 10 on-error mark-down'

/** `retry-on` keeps its default, which is failed connections only: its documentation warns of the others. */
export const haproxyForFaults: FaultSubject = {
  name: 'haproxy',
  title: 'HAProxy',
  setting: `option httpchk, ${check}; retries 3, option redispatch 1`,
  version: haproxyVersion,
  start: (ports, directory) =>
    startHaproxy(ports, directory, {
      listen: ['retries 3', 'option redispatch 1', 'option httpchk HEAD /health', `default-server ${check}`],
      connect: `${connectTimeout}ms`,
      server: `${headersTimeout}ms`,
    }),
}
