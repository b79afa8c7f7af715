import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { freePorts } from './free-port.ts'
import type { RunningServer } from './node-program.ts'
import type { Side } from './pinning.ts'
import { programVersion } from './versions.ts'

/** undefined when nginx is not installed. */
export const nginxVersion = (): string | undefined => programVersion('nginx', '-v')

/** Starts nginx in the foreground, in a directory of its own, with `http` inside the block of that name. */
export function startNginx(directory: string, side: Side, workers: number, http: string): Child {
  mkdirSync(directory)
  // Started by root, workers would otherwise be nobody, who may not read the directory.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`)
  writeFileSync(
    join(directory, 'nginx.conf'),
    `${user}
daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes ${workers};
events { worker_connections 32768; }
http {
  ${temporary.join('\n  ')}
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  ${http}
}
`,
  )
  return new Child('nginx', ['-p', directory, '-e', 'stderr', '-c', 'nginx.conf'], { side })
}

/** Starts nginx, with one worker unless told otherwise, in front of backends on these ports of the loopback; more lines for its `location`. */
export async function startNginxProxy(
  backends: readonly number[],
  directory: string,
  {
    server = '',
    location = [],
    upstream = [],
    idle = 128,
    workers = 1,
    side = 'proxy',
  }: {
    readonly server?: string
    readonly location?: readonly string[]
    /** Lines that say how to choose. */
    readonly upstream?: readonly string[]
    /** Idle connections to all backends together. */
    readonly idle?: number
    readonly workers?: number
    readonly side?: Side
  } = {},
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  const servers = backends.map((backend) => `server 127.0.0.1:${backend} ${server};`).join(' ')
  const own = ['proxy_pass http://backends', 'proxy_http_version 1.1', 'proxy_set_header Connection ""']
  const child = startNginx(
    join(directory, `nginx-${workers}`),
    side,
    workers,
    `
  upstream backends { ${upstream.map((line) => `${line}; `).join('')}${servers} keepalive ${idle}; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      ${[...own, ...location].map((line) => `${line};`).join('\n      ')}
    }
  }`,
  )
  await child.listensOn(port)
  return { child, port }
}
