import balancer from '@fastify-balancer/balancer-core'
import mirror from '@fastify-balancer/mirror'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend, startBackends } from '../../../test/support/backend.ts'
import { until } from '../../../test/support/until.ts'
import metrics from '../src/index.ts'
import { counted, only, scrape } from './scrape.ts'

test('copies, where that package is there', async (t) => {
  const [backend, copies] = await startBackends(t, 'backend', 'mirror')
  const hanging = await startBackend(t, () => {})
  const app = Fastify()
  t.after(() => app.close())
  for (const name of ['shop', 'plain'])
    await app.register(balancer, { name, backends: [backend!.url], prefix: `/${name}` })
  await app.register(metrics)
  await app.register(mirror, {
    balancer: 'shop',
    to: [copies!.url, hanging.url],
    methods: ['GET', 'POST'],
    maxInFlight: 1,
    maxBody: 3,
  })
  for (const name of ['shop', 'plain']) {
    for (let asked = 0; asked < 2; asked++) {
      await app.inject(`/${name}`)
      await until('it is free again', () => app.mirrors.get('shop')!.views[0]!.inFlight === 0)
    }
    await app.inject({ method: 'POST', url: `/${name}`, payload: 'long' })
  }
  await until('the copy has arrived', () => hanging.received.length === 1)
  const figures = await scrape(app)
  const lines = (name: string, read = only) =>
    Object.fromEntries(
      Object.entries(read(figures, `fastify_balancer_mirror_${name}`)).map(([labels, value]) => [
        labels.replace(copies!.url, 'quick').replace(hanging.url, 'hanging').replace('balancer="shop",', ''),
        value,
      ]),
    )
  assert.deepEqual(lines('sent_total'), { '{mirror="quick"}': 2, '{mirror="hanging"}': 1 })
  assert.deepEqual(lines('in_flight'), { '{mirror="quick"}': 0, '{mirror="hanging"}': 1 })
  assert.deepEqual(lines('outcomes_total', counted), { '{mirror="quick",outcome="2xx"}': 2 })
  assert.deepEqual(lines('dropped_total'), {
    '{mirror="quick",reason="body"}': 1,
    '{mirror="quick",reason="full"}': 0,
    '{mirror="hanging",reason="body"}': 1,
    '{mirror="hanging",reason="full"}': 1,
  })
})
