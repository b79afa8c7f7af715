import adminRoutes, { type AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { TestContext } from 'node:test'
import { LogLines } from '../../../test/support/log-lines.ts'
import { startBackend, type TestBackend } from '../../../test/support/backend.ts'
import dashboard, { type DashboardOptions } from '../src/index.ts'

export interface StageOptions {
  readonly app?: FastifyServerOptions
  readonly balancer?: BalancerOptions
  readonly admin?: AdminRoutesOptions
  readonly dashboard?: DashboardOptions
  /** Registered before everything else. */
  readonly before?: (app: FastifyInstance) => unknown
}

/** An app that listens, with a balancer in front of one backend, admin routes, and the page. */
export interface Stage {
  readonly app: FastifyInstance
  /** Its origin. */
  readonly origin: string
  readonly port: number
  readonly backend: TestBackend
  readonly log: LogLines
}

/** Starts it; it is closed when the test ends. */
export async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const backend = await startBackend(t)
  const log = new LogLines()
  const app = Fastify({ logger: log, ...options.app })
  t.after(() => app.close())
  await options.before?.(app)
  await app.register(balancer, { backends: [{ id: 'one', url: backend.url }], ...options.balancer })
  await app.register(adminRoutes, options.admin ?? { insecure: true })
  await app.register(dashboard, options.dashboard ?? { insecure: true })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, origin, port: Number(new URL(origin).port), backend, log }
}
