import balancer, { type Backend, type Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker, { type CircuitBreakerOptions } from '@fastify-balancer/circuit-breaker'
import healthCheck, { type HealthCheckOptions } from '@fastify-balancer/health-check'
import Fastify, { type FastifyInstance } from 'fastify'
import type { TestContext } from 'node:test'
import { listenApp } from '../../support/app.ts'
import { LogLines } from '../../support/log-lines.ts'
import { until } from '../../support/until.ts'
import { SteadyLoad } from './steady-load.ts'

/** Each part with its defaults, but for what is said here; `false` leaves one out. */
export interface CheckedOptions {
  readonly backends: readonly { readonly id: string; readonly url: string }[]
  readonly core?: Omit<BalancerOptions, 'backends'>
  readonly healthCheck?: HealthCheckOptions | false
  readonly circuitBreaker?: CircuitBreakerOptions | false
}

/** A balancer with its checks, that listens, and a load that is still to begin. */
export interface CheckedApp {
  readonly app: FastifyInstance
  readonly url: string
  readonly balancer: Balancer
  readonly log: LogLines
  readonly load: SteadyLoad
}

/** Passive checks alone. */
export const noProbes = { type: 'none' } as const

/** Probes alone. */
export const noOutliers = {
  consecutive: { failures: 0, gateway: 0, unreached: 0 },
  successRate: { stdev: 0 },
  latency: { factor: 0 },
} as const

/** An app with balancer, health check and circuit breaker, that does not listen yet. */
export async function assemble(options: CheckedOptions, log: LogLines = new LogLines()): Promise<FastifyInstance> {
  const { backends, core = {}, healthCheck: check = {}, circuitBreaker: breaker = {} } = options
  const app = Fastify({ logger: log })
  await app.register(balancer, { ...core, backends: backends.map(({ id, url }) => ({ id, url })) })
  if (check !== false) await app.register(healthCheck, check)
  if (breaker !== false) await app.register(circuitBreaker, breaker)
  return app
}

/** Starts such an app; it is closed when the test ends. */
export async function startChecked(t: TestContext, options: CheckedOptions): Promise<CheckedApp> {
  const load = new SteadyLoad(t)
  const log = new LogLines()
  const { app, url } = await listenApp(t, await assemble(options, log))
  return { app, url, balancer: app.balancer, log, load }
}

/** Waits until somebody objects to a backend; answers how long that took, in ms. */
export async function vetoed(backend: Backend, patience = 60_000): Promise<number> {
  const from = performance.now()
  await until(`there is a veto on ${backend.id}`, () => backend.vetoes.length > 0, patience)
  return performance.now() - from
}

/** Waits until nobody objects to a backend, and it has been sent `requests` more; answers how long that took, in ms. */
export async function usedAgain(backend: Backend, requests = 10, patience = 60_000): Promise<number> {
  const from = performance.now()
  await until(`there is no veto on ${backend.id}`, () => backend.vetoes.length === 0, patience)
  const goal = backend.requests + requests
  await until(`${backend.id} is used again`, () => backend.vetoes.length === 0 && backend.requests >= goal, patience)
  return performance.now() - from
}

/** How many attempts each backend is sent from now on: to be called later, and then again. */
export function attemptsFromNow({ backends }: Balancer): () => number[] {
  const before = new Map(backends.map((backend) => [backend, backend.requests]))
  return () => backends.map((backend) => backend.requests - before.get(backend)!)
}

/** By how many the one that was sent most is ahead of the one that was sent least. */
export function spread(attempts: readonly number[]): number {
  return Math.max(...attempts) - Math.min(...attempts)
}
