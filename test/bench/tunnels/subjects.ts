import { nginxVersion, startNginxProxy } from '../nginx.ts'
import { nodeSubject } from '../subjects/node-subject.ts'
import type { Subject } from '../subjects/subject.ts'

const nginx: Subject = {
  name: 'nginx',
  title: 'nginx',
  backends: 1,
  version: nginxVersion,
  start: (ports, directory) =>
    startNginxProxy(ports, directory, {
      location: [
        'proxy_set_header Upgrade $http_upgrade',
        'proxy_set_header Connection "upgrade"',
        'proxy_read_timeout 1h',
        'proxy_send_timeout 1h',
      ],
    }),
}

/** Whose tunnels are measured. */
export const subjects: readonly Subject[] = [
  nodeSubject({
    name: 'ours',
    title: 'fastify-balancer',
    packageName: '@fastify-balancer/balancer-core',
    program: 'ours.ts',
    backends: 1,
  }),
  nginx,
  nodeSubject({
    name: 'http-proxy-3',
    title: 'http-proxy-3',
    packageName: 'http-proxy-3',
    program: 'http-proxy-3.ts',
    backends: 1,
  }),
  nodeSubject({
    name: 'http-proxy',
    title: '@fastify/http-proxy',
    packageName: '@fastify/http-proxy',
    program: 'http-proxy.ts',
    args: ['--websocket'],
    backends: 1,
  }),
]
