import { caddy } from './caddy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { nodeSubject } from './node-subject.ts'
import type { Subject } from './subject.ts'

export { haproxy, nginx }

const ours = { packageName: '@fastify-balancer/balancer-core', program: 'ours.ts', backends: 3 } as const

/** With default options, which in an app without `onSend` hooks means the raw lane: what the others are compared with. */
export const oursRaw = nodeSubject({ ...ours, name: 'ours-raw', title: 'fastify-balancer, raw lane' })
export const oursFull = nodeSubject({
  ...ours,
  name: 'ours-full',
  title: 'fastify-balancer, full lane',
  args: ['--lane=full'],
})

/** With room for more requests in flight than the default allows. */
export const oursRoomy = nodeSubject({
  ...ours,
  name: 'ours-raw',
  title: 'fastify-balancer, raw lane',
  args: ['--connections=4096'],
})

export const replyFrom = nodeSubject({
  name: 'reply-from',
  title: '@fastify/reply-from',
  packageName: '@fastify/reply-from',
  program: 'reply-from.ts',
  backends: 1,
})

const oursChecked = nodeSubject({
  ...ours,
  name: 'ours-checked',
  title: 'fastify-balancer, raw lane, with health checks and circuit breakers',
  program: 'ours-checked.ts',
  scenarios: ['get-100'],
})

function oursOperated(extra: 'metrics' | 'admin' | 'watched', title: string): Subject {
  return nodeSubject({
    ...ours,
    name: `ours-${extra}`,
    title: `fastify-balancer, raw lane, with ${title}`,
    program: 'ours-operated.ts',
    args: [`--with=${extra}`],
    scenarios: ['get-100'],
  })
}

function oursTraced(name: string, ratio: number): Subject {
  return nodeSubject({
    ...ours,
    name,
    title: `fastify-balancer, raw lane, with metrics and tracing, ${ratio * 100} % sampled`,
    program: 'ours-traced.ts',
    args: [`--ratio=${ratio}`],
    scenarios: ['get-100'],
  })
}

/** Everything that is measured. */
export const subjects: readonly Subject[] = [
  oursRaw,
  oursChecked,
  oursOperated('metrics', 'metrics'),
  oursOperated('admin', 'admin routes and the page'),
  oursOperated('watched', 'admin routes and the page, which is open'),
  oursTraced('ours-sampled', 0.01),
  oursTraced('ours-traced', 1),
  oursFull,
  replyFrom,
  nodeSubject({
    name: 'http-proxy',
    title: '@fastify/http-proxy',
    packageName: '@fastify/http-proxy',
    program: 'http-proxy.ts',
    backends: 1,
  }),
  nodeSubject({
    name: 'http-proxy-3',
    title: 'http-proxy-3 (keep-alive agent)',
    packageName: 'http-proxy-3',
    program: 'http-proxy-3.ts',
    backends: 1,
  }),
  nodeSubject({ name: 'httpxy', title: 'httpxy', packageName: 'httpxy', program: 'httpxy.ts', backends: 1 }),
  nodeSubject({
    name: 'fast-proxy',
    title: 'fast-proxy (undici)',
    packageName: 'fast-proxy',
    program: 'fast-proxy.ts',
    backends: 1,
  }),
  nginx,
  haproxy,
  caddy,
  nodeSubject({ name: 'floor', title: 'no proxy: node:http answers itself', program: 'floor.ts', backends: 0 }),
]
