import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child } from './child.ts'
import { freePorts } from './free-port.ts'
import { nginxVersion, startNginx } from './nginx.ts'
import { loadWorkers } from './pinning.ts'
import { startNodeProgram } from './node-program.ts'
import { payload, scenarios, whoPath } from './scenarios.ts'

/** Where the proxies forward to. */
export interface BackendServers {
  readonly ports: readonly number[]
  /** What answers there. */
  readonly title: string
}

/** Starts three backends that never limit: one nginx with three ports, or as many Node processes where it is missing. */
export async function startBackends(directory: string): Promise<BackendServers> {
  const version = nginxVersion()
  if (version === undefined) {
    const started = await Promise.all([1, 2, 3].map(() => startNodeProgram('load', 'floor.ts', [])))
    return { ports: started.map(({ port }) => port), title: 'node:http (nginx is not installed)' }
  }
  const ports = await freePorts(3)
  const nginx = startNginx(join(directory, 'backends'), 'load', loadWorkers, site(directory, ports))
  await listenOn(nginx, ports)
  return { ports, title: `nginx ${version}` }
}

async function listenOn(nginx: Child, ports: readonly number[]): Promise<void> {
  for (const port of ports) await nginx.listensOn(port)
}

function site(directory: string, ports: readonly number[]): string {
  const root = join(directory, 'files')
  mkdirSync(root)
  const small = scenarios.find(({ name }) => name === 'get-100')!
  const uploads = scenarios.filter(({ upload }) => upload > 0)
  for (const { path, download } of scenarios) writeFileSync(join(root, path), payload(download))

  // To an upload, `return` alone would answer before the body has come. `mirror` reads it whole first; then the file
  // handler refuses the method, and that is turned into the answer.
  return `
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10 inactive=1h;
  open_file_cache_valid 1h;
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join('\n    ')}
    root ${root};
    location = ${small.path} { return 200 "${payload(small.download)}"; }
    location = ${whoPath} { return 200 "$server_port"; }
    client_body_buffer_size 2m;
    ${uploads.map(({ path }) => `location = ${path} { mirror /read; error_page 405 = @received; }`).join('\n    ')}
    location = /read { internal; return 204; }
    location @received { return 200 "${payload(uploads[0]!.download)}"; }
  }`
}
