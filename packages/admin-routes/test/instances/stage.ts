import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import fleet, { MemoryStore, type Store } from '@fastify-balancer/fleet'
import Fastify, { type FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'

/** One of several apps that act as one. */
export interface StagedInstance {
  readonly id: string
  readonly app: FastifyInstance
  readonly url: string
  /** Asks its admin routes. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

/** What an admin route has answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export interface InstanceOptions {
  readonly balancer?: BalancerOptions
  readonly admin?: AdminRoutesOptions
  readonly plugins?: (app: FastifyInstance) => unknown
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, body }
}

/** An instance that listens; heartbeats are rare, so that tests do not hang on them. */
export async function startInstance(
  t: TestContext,
  id: string,
  store: Store | undefined,
  { balancer: balanced = {}, admin = {}, plugins }: InstanceOptions = {},
): Promise<StagedInstance> {
  const app = Fastify()
  t.after(() => app.close())
  if (store !== undefined) await app.register(fleet, { store, id, heartbeat: 60_000 })
  await app.register(balancer, balanced)
  await app.register(circuitBreaker, {})
  await plugins?.(app)
  await app.register(adminRoutes, { insecure: true, ...admin })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const ask: StagedInstance['ask'] = async (method, path, body, headers = {}) =>
    answerOf(
      await fetch(`${url}/_balancer${path}`, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
  return { id, app, url, ask }
}

/** Instances named `1`, `2`, …, with two backends `a` and `b` that answer. */
export async function startInstances(t: TestContext, count: number, options: InstanceOptions = {}) {
  const store = new MemoryStore()
  const [a, b] = await Promise.all([startBackend(t, undefined, 'a'), startBackend(t, undefined, 'b')])
  const backends = [
    { id: 'a', url: a.url },
    { id: 'b', url: b.url },
  ]
  const start = (id: string) => startInstance(t, id, store, { ...options, balancer: { backends, ...options.balancer } })
  const all: StagedInstance[] = []
  // oxlint-disable-next-line no-await-in-loop -- the first one is the keeper
  for (let number = 1; number <= count; number++) all.push(await start(String(number)))
  return { store, all, start, backends }
}
