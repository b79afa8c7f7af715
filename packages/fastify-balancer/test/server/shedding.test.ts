import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import balancer from '../../src/index.ts'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { anyPort, configured, run } from './running.ts'

/** Every process is overloaded by this. */
const underPressure = { maxHeapUsedBytes: 1, sampleInterval: 10 }

const shedIn = (metrics: string) => Number(/^fastify_balancer_shed_requests_total (\d+)$/m.exec(metrics)?.[1])

/** As many clients ask at once; answers how many of them were refused. */
async function refused(url: string, clients: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: clients }, () => ask(url)))
  return answers.filter(({ status }) => status === 503).length
}

interface Told {
  /** By the API: of the process, and in the history. */
  readonly api: number
  readonly past: number
  readonly metrics: number
  /** Of overloads. */
  readonly events: number
}

/** What an administration tells of load that was shed. */
async function told(url: string): Promise<Told> {
  const get = async (path: string) => (await ask(`${url}${path}`)).body
  const { process } = JSON.parse(await get('/_balancer/balancers'))
  const { totals } = JSON.parse(await get('/_balancer/balancers/default/history?range=5m'))
  const past = (totals.shed as (number | null)[]).reduce<number>((sum, shed) => sum + (shed ?? 0), 0)
  const controller = new AbortController()
  const events = await fetch(`${url}/_balancer/events?recent=100`, { signal: controller.signal })
  const { value } = await events.body!.pipeThrough(new TextDecoderStream()).getReader().read()
  controller.abort()
  const overloads = value!.match(/^event: overload$/gm)?.length ?? 0
  return { api: process.shed, past, metrics: shedIn(await get('/metrics')), events: overloads }
}

test('an overloaded process: metrics, the API and the history say how many clients were refused', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const app = Fastify()
  const around = { underPressure, metrics: true, admin: { insecure: true } }
  await app.register(balancer, { backends: [backend!.url], healthCheck: { type: 'none' }, ...around })
  const { url } = await listenApp(t, app)
  assert.deepEqual(await told(url), { api: 0, past: 0, metrics: 0, events: 0 })
  await until('it was measured', () => app.isUnderPressure())
  const clients = await refused(url, 25)
  assert.equal(clients, 25)
  assert.deepEqual(await told(url), { api: clients, past: clients, metrics: clients, events: 1 })
})

test('several listeners are one process: what any of them sheds is counted once, and told once', async (t) => {
  const [backend] = await startBackends(t, 'one')
  for (const listen of [undefined, anyPort]) {
    const admin = { insecure: true, ...(listen && { listen }) }
    const around = { underPressure, metrics: {}, admin, listen: [anyPort, anyPort, anyPort] }
    const { server, urls } = await run(t, configured([{ backends: [backend!.url] }], around))
    const forwarding = urls.slice(0, 3)
    const administration = listen === undefined ? urls[0]! : urls.at(-1)!
    await until('each has measured', () => server.all.every(({ app }) => app.isUnderPressure()))
    let clients = 0
    for (const [index, url] of forwarding.entries()) clients += await refused(url, index + 3)
    assert.equal(clients, 12)
    const where = listen === undefined ? 'of the first' : 'of its own'
    assert.deepEqual(await told(administration), { api: 12, past: 12, metrics: 12, events: 1 }, where)
    for (const { app } of server.all) assert.equal(app.balancerShedding?.total, 12, where)
  }
})
