import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** An app that listens. */
export interface TestApp {
  readonly app: FastifyInstance
  readonly url: string
  readonly port: number
}

/** Lets an app listen on a free port of the loopback; it is closed when the test ends. */
export async function listenApp(t: TestContext, app: FastifyInstance): Promise<TestApp> {
  t.after(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, port: (app.server.address() as AddressInfo).port }
}

/** An app with one balancer in front of everything. */
export async function startApp(
  t: TestContext,
  options: BalancerOptions,
  server: FastifyServerOptions = {},
): Promise<TestApp> {
  const app = Fastify(server)
  await app.register(balancer, options)
  return listenApp(t, app)
}
