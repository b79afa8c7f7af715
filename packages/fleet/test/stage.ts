import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import type { TestContext } from 'node:test'
import fleet, { MemoryStore, type Store } from '../src/index.ts'

/** An instance whose heartbeats are rare, so that tests do not hang on them. */
export async function instance(
  t: TestContext,
  id: string,
  store: Store,
  options: BalancerOptions = {
    backends: [
      { id: 'a', url: 'http://a.test' },
      { id: 'b', url: 'http://b.test' },
    ],
  },
  heartbeat = 60_000,
): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(fleet, { store, id, heartbeat })
  await app.register(balancer, options)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

/** Instances of one fleet, named `1`, `2`, …, started one after the other. */
export async function instances(
  t: TestContext,
  count: number,
  options?: BalancerOptions,
  behind: (store: Store) => Store = (store) => store,
  heartbeat?: number,
) {
  const store = behind(new MemoryStore())
  const apps: FastifyInstance[] = []
  for (let number = 1; number <= count; number++)
    apps.push(await instance(t, String(number), store, options, heartbeat))
  return { store, apps }
}
