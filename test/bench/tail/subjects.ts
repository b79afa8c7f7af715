import { fileURLToPath } from 'node:url'
import { caddyVersion, startCaddy } from '../caddy.ts'
import { Child } from '../child.ts'
import { haproxyVersion, startHaproxy } from '../haproxy.ts'
import { nginxVersion, startNginxProxy } from '../nginx.ts'
import { usablePolicies } from '../our-policies.ts'
import type { Subject } from '../subjects/subject.ts'
import { packageVersion } from '../versions.ts'

/** A way to choose, of ours or of a peer. Nothing is ejected: whatever a backend does, it is there to be chosen. */
export interface TailSubject extends Pick<Subject, 'name' | 'title' | 'version' | 'start'> {
  readonly isPeer: boolean
  /** It is measured only where it is asked for: it has other aims than to spread load. */
  readonly isOnDemand?: boolean
}

/** Those of ours that are measured unless others are asked for, as far as they exist. */
const usual = new Set(['round-robin', 'p2c', 'least-requests', 'peak-ewma', 'least-time', 'prequal', 'c3'])

const program = fileURLToPath(new URL('./ours-program.ts', import.meta.url))

const ours = (policy: string): TailSubject => ({
  name: `ours-${policy}`,
  title: `fastify-balancer ${policy}`,
  isPeer: false,
  isOnDemand: !usual.has(policy),
  version: () => packageVersion('fastify-balancer'),
  async start(ports) {
    const origins = ports.map((port) => `http://127.0.0.1:${port}`)
    const child = new Child(process.execPath, [program, policy, ...origins], { side: 'proxy', talks: true })
    return { child, port: await child.ask<number>() }
  },
})

const nginx = (name: string, method?: string): TailSubject => ({
  name: `nginx-${name}`,
  title: `nginx ${method ?? 'round robin'}`,
  isPeer: true,
  version: nginxVersion,
  start: (ports, directory) =>
    startNginxProxy(ports, directory, {
      server: 'max_fails=0',
      upstream: method === undefined ? [] : [method],
      idle: 4096,
    }),
})

const haproxy = (name: string, balance: string): TailSubject => ({
  name: `haproxy-${name}`,
  title: `HAProxy ${balance}`,
  isPeer: true,
  version: haproxyVersion,
  start: (ports, directory) => startHaproxy(ports, directory, { listen: [`balance ${balance}`] }),
})

const caddy = (name: string, policy: string): TailSubject => ({
  name: `caddy-${name}`,
  title: `Caddy ${policy}`,
  isPeer: true,
  version: caddyVersion,
  start: (ports, directory) => startCaddy(ports, directory, { policy }),
})

const peers: readonly TailSubject[] = [
  nginx('round-robin'),
  nginx('least-conn', 'least_conn'),
  nginx('random-two', 'random two least_conn'),
  haproxy('roundrobin', 'roundrobin'),
  haproxy('leastconn', 'leastconn'),
  haproxy('random-2', 'random(2)'),
  caddy('least-conn', 'least_conn'),
  caddy('random-choose-2', 'random_choose 2'),
]

/** Everything that can be measured. */
export const tailSubjects: readonly TailSubject[] = [...usablePolicies.map(ours), ...peers]
