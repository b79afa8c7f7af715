import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { listenApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'
import { failOnCrash } from '../no-crash.ts'
import { echo, type Case, type Way } from './case.ts'
import { casesOf } from './cases.ts'
import type { Backend, Client, Role } from './exchange.ts'
import { http1Backend, http1Client } from './http1.ts'
import { http2Backend, http2Client } from './http2.ts'

failOnCrash()

interface Stage {
  readonly app: FastifyInstance
  readonly client: Client
  readonly backend: Backend
  readonly roles: Map<string, Role>
}

async function start(t: TestContext, way: Way): Promise<Stage> {
  const roles = new Map<string, Role>()
  const backend = await (way.backend === 1 ? http1Backend : http2Backend)(t, roles)
  const { lane } = way
  const app = Fastify({ http2: way.client === 2 } as never) as unknown as FastifyInstance
  await app.register(balancer, {
    backends: [backend.url],
    pool: { protocol: way.backend === 1 ? 'http1' : 'h2c' },
    retry: { attempts: 0 },
    lane,
  })
  const { port } = await listenApp(t, app)
  return { app, client: (way.client === 1 ? http1Client : http2Client)(t, port), backend, roles }
}

async function run({ client, backend, roles }: Stage, one: Case, way: Way, number: number): Promise<void> {
  const { question = {}, answer = echo, early = false, meanwhile, check } = one
  const { path = `/${number}` } = question
  roles.set(path, { answer, early })
  const asking = await client.ask({ ...question, path })
  await meanwhile?.(asking, () => backend.asked.get(path))
  const reply = await asking.reply
  check?.(reply, backend.asked.get(path)!, way)
}

for (const protocols of [
  { client: 1, backend: 1 },
  { client: 1, backend: 2 },
  { client: 2, backend: 1 },
  { client: 2, backend: 2 },
] as const)
  describe(`a client with HTTP/${protocols.client}, a backend with HTTP/${protocols.backend}:`, () => {
    for (const lane of ['raw', 'full'] as const)
      test(`all cases, in the ${lane} lane`, async (t) => {
        const way = { ...protocols, lane }
        const stage = await start(t, way)
        let number = 0
        for (const [name, one] of Object.entries(casesOf(way)))
          // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
          await t.test(name, () => run(stage, one, way, ++number))
        await until('nothing is left under way', () => stage.app.balancer.exchanges === 0)
        assert.equal(stage.app.balancer.backends[0]!.inFlight, 0)
      })
  })
