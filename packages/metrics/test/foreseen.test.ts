import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import metrics from '../src/index.ts'
import { only, scrape } from './scrape.ts'

/** The first scrape of a server with so many backends that nobody has asked anything; `checked` by what there is. */
async function first(t: TestContext, count: number, checked = false) {
  const app = Fastify()
  t.after(() => app.close())
  const backends = Array.from({ length: count }, (_, at) => `http://b${at}.test`)
  await app.register(balancer, { backends })
  if (checked) {
    await app.register(circuitBreaker)
    await app.register(healthCheck, { initial: 'up', interval: 3_600_000 })
  }
  await app.register(metrics)
  await app.ready()
  return scrape(app)
}

test('counters are there from the first scrape on, so that rate() sees their first burst', async (t) => {
  const figures = await first(t, 1, true)
  const zeros = (name: string) => {
    const lines = Object.entries(only(figures, `fastify_balancer_${name}_total`))
    assert.deepEqual(new Set(lines.map(([, value]) => value)), new Set([0]), name)
    return lines.map(([labels]) =>
      labels
        .replace('balancer="default"', '')
        .replace(',backend="http://b0.test"', '')
        .replaceAll(/[{}"]|^\{,/g, ''),
    )
  }
  for (const name of ['failed_requests', 'retries', 'hedges', 'hedges_won', 'circuit_openings', 'ejections'])
    assert.equal(zeros(name).length, 1)
  assert.deepEqual(
    zeros('requests').filter((line) => /ok|no-backend|body-truncated|client-gone|bad-request/.test(line)),
    [
      ...['1xx', '2xx', '3xx', '4xx', '5xx'].map((status) => `,outcome=ok,status=${status}`),
      ',outcome=bad-request,status=4xx',
      ',outcome=no-backend,status=5xx',
      ',outcome=body-truncated,status=2xx',
      ',outcome=body-truncated,status=5xx',
      ',outcome=client-gone,status=none',
      ',outcome=client-gone,status=2xx',
    ],
  )
  assert.ok(zeros('failures').includes(',reason=dns-failed,blame=backend'))
  assert.ok(!zeros('failures').join(' ').includes('hedge-lost'))
  assert.deepEqual(zeros('queue_refusals'), [',reason=queue-full', ',reason=queue-shed', ',reason=queue-timeout'])
  assert.deepEqual(
    zeros('responses'),
    ['2xx', '3xx', '4xx', '5xx'].map((status) => `,status=${status}`),
  )
  assert.deepEqual(zeros('probes'), [',outcome=good', ',outcome=bad'])
  const usual = ['connect-refused', 'connect-timeout', 'reset-before-headers', 'headers-timeout', 'body-truncated']
  assert.deepEqual(
    zeros('attempts'),
    ['ok', ...usual].map((outcome) => `,outcome=${outcome}`),
  )
  assert.deepEqual(
    zeros('attempt_failures'),
    usual.map((reason) => `,reason=${reason},blame=backend`),
  )
})

test('of more than 1 000 backends, only what has happened has lines', async (t) => {
  const lines = (figures: Awaited<ReturnType<typeof first>>, name: string) =>
    Object.keys(only(figures, `fastify_balancer_${name}`)).length
  const [few, many] = [await first(t, 1000), await first(t, 1001)]
  for (const name of ['attempts_total', 'attempt_failures_total', 'responses_total'])
    assert.deepEqual([lines(few, name) / 1000 >= 4, lines(many, name)], [true, 0], name)
  assert.equal(lines(many, 'failures_total'), lines(few, 'failures_total'))
})
