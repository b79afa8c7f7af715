import balancer, { type BalancerOptions, type Policy } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { Agent, type RequestListener } from 'node:http'
import { test } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ask, type Question } from '../../../test/support/ask.ts'
import { startBackend, unusedOrigin, type TestBackend } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import metrics from '../src/index.ts'
import { counted, only, scrape } from './scrape.ts'

/** Always the first; another only for who was there already. */
const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

const size = 1000

/** Answers as its path says; what ends with `hang` never. */
const obedient: RequestListener = (request, response) => {
  request.resume()
  const path = request.url!.slice(request.url!.lastIndexOf('/') + 1)
  if (path === 'hang') return
  if (path === 'cut') {
    response.writeHead(200, { 'content-length': size })
    response.write('x', () => response.socket!.destroy())
    return
  }
  request.on('end', () => response.writeHead(Number(path)).end('x'.repeat(size)))
}

/** What the client counts: statuses, or what became of it without one. */
type Tally = Record<string, number>

async function load(tally: Tally, count: number, url: string, question: Question, width = 32): Promise<void> {
  let left = count
  async function client(): Promise<void> {
    while (left-- > 0) {
      const { status, whole } = await ask(url, question)
      const seen = whole ? String(status) : `${status} broken`
      tally[seen] = (tally[seen] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: width }, client))
}

test('what the metrics say is what the client has counted, request by request', async (t) => {
  const [a, b, hanging] = [
    await startBackend(t, obedient),
    await startBackend(t, obedient),
    await startBackend(t, obedient),
  ]
  const dead = await unusedOrigin()
  const clock = new ManualClock(1000)
  const app = Fastify()
  const register = (name: string, backends: NonNullable<BalancerOptions['backends']>, options: BalancerOptions = {}) =>
    app.register(balancer, { name, prefix: `/${name}`, backends, retry: { attempts: 0 }, ...options })
  await register('main', [
    { id: 'a', url: a.url },
    { id: 'b', url: b.url },
  ])
  await app.register(metrics)
  await register('refused', [{ id: 'dead', url: dead }])
  await register(
    'retried',
    [
      { id: 'dead', url: dead },
      { id: 'live', url: a.url },
    ],
    { policy: inOrder, retry: { attempts: 1 } },
  )
  await register('narrow', [{ id: 'one', url: hanging.url, maxInFlight: 1 }], {
    queue: { max: 100 },
    timeouts: { queue: 500 },
    clock,
  })
  const { url } = await listenApp(t, app)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  t.after(() => agent.destroy())
  const tally: Tally = {}
  const body = 'y'.repeat(size)

  await Promise.all([
    load(tally, 1500, `${url}/main/200`, { agent }),
    load(tally, 300, `${url}/main/201`, { agent, method: 'POST', body }),
    load(tally, 250, `${url}/main/404`, { agent }),
    load(tally, 400, `${url}/main/500`, { agent }),
    load(tally, 60, `${url}/main/cut`, {}),
    load(tally, 350, `${url}/refused/200`, { agent }),
    load(tally, 450, `${url}/retried/200`, { agent }),
  ])
  assert.deepEqual(tally, {
    '200': 1500 + 450,
    '201': 300,
    '404': 250,
    '500': 400,
    '502': 350,
    '200 broken': 60,
  })

  // Clients that leave while their backend is at work.
  const leaving = new AbortController()
  const gone = Promise.all(Array.from({ length: 120 }, () => ask(`${url}/main/hang`, { signal: leaving.signal })))
  await until('all have reached a backend', () =>
    [...app.balancers.get('main')!.backends].every((one) => one.inFlight === 60),
  )
  const during = await scrape(app)
  assert.equal(during['fastify_balancer_requests_in_flight{balancer="main"}'], 120)
  assert.equal(during['fastify_balancer_backend_in_flight{balancer="main",backend="a"}'], 60)
  assert.equal(
    during['fastify_balancer_pool_connections{balancer="main",backend="a"}'],
    app.balancers.get('main')!.backend('a').pool.stats.connected,
  )
  leaving.abort()
  assert.deepEqual(new Set((await gone).map(({ status }) => status)), new Set([0]))

  // One place, a queue of 100, and 300 who come: time stands still until they are all there.
  const staying = new AbortController()
  const first = ask(`${url}/narrow/hang`, { signal: staying.signal })
  await until('the only place is taken', () => hanging.received.length === 1)
  const late: Tally = {}
  const crowd = load(late, 300, `${url}/narrow/200`, {}, 300)
  await until('200 were sent away', () => late['503'] === 200)
  assert.equal((await scrape(app))['fastify_balancer_queue_depth{balancer="narrow"}'], 100)
  clock.advance(500)
  await crowd
  assert.deepEqual(late, { '503': 300 })
  staying.abort()
  await first

  await until('all have ended', () => [...app.balancers.values()].every(({ exchanges }) => exchanges === 0))
  const figures = await scrape(app)
  assert.deepEqual(counted(figures, 'fastify_balancer_requests_total'), {
    '{balancer="main",outcome="ok",status="2xx"}': 1800,
    '{balancer="main",outcome="ok",status="4xx"}': 250,
    '{balancer="main",outcome="ok",status="5xx"}': 400,
    '{balancer="main",outcome="body-truncated",status="2xx"}': 60,
    '{balancer="main",outcome="client-gone",status="none"}': 120,
    '{balancer="refused",outcome="connect-refused",status="5xx"}': 350,
    '{balancer="retried",outcome="ok",status="2xx"}': 450,
    '{balancer="narrow",outcome="queue-full",status="5xx"}': 200,
    '{balancer="narrow",outcome="queue-timeout",status="5xx"}': 100,
    '{balancer="narrow",outcome="client-gone",status="none"}': 1,
  })
  assert.deepEqual(counted(figures, 'fastify_balancer_failures_total'), {
    '{balancer="main",reason="body-truncated",blame="backend"}': 60,
    '{balancer="main",reason="client-gone",blame="client"}': 120,
    '{balancer="refused",reason="connect-refused",blame="backend"}': 350,
    '{balancer="narrow",reason="queue-full",blame="proxy"}': 200,
    '{balancer="narrow",reason="queue-timeout",blame="proxy"}': 100,
    '{balancer="narrow",reason="client-gone",blame="client"}': 1,
  })
  assert.deepEqual(only(figures, 'fastify_balancer_failed_requests_total'), {
    '{balancer="main"}': 400 + 60,
    '{balancer="refused"}': 350,
    '{balancer="retried"}': 0,
    '{balancer="narrow"}': 300,
  })
  assert.deepEqual(counted(figures, 'fastify_balancer_queue_refusals_total'), {
    '{balancer="narrow",reason="queue-full"}': 200,
    '{balancer="narrow",reason="queue-timeout"}': 100,
  })
  assert.deepEqual(only(figures, 'fastify_balancer_retries_total'), {
    '{balancer="main"}': 0,
    '{balancer="refused"}': 0,
    '{balancer="retried"}': 450,
    '{balancer="narrow"}': 0,
  })
  const cutBy = ({ received }: TestBackend) => received.filter((one) => one.url!.endsWith('/cut')).length
  assert.deepEqual(counted(figures, 'fastify_balancer_attempt_failures_total'), {
    '{balancer="main",backend="a",reason="body-truncated",blame="backend"}': cutBy(a),
    '{balancer="main",backend="b",reason="body-truncated",blame="backend"}': cutBy(b),
    '{balancer="main",backend="a",reason="client-gone",blame="client"}': 60,
    '{balancer="main",backend="b",reason="client-gone",blame="client"}': 60,
    '{balancer="refused",backend="dead",reason="connect-refused",blame="backend"}': 350,
    '{balancer="retried",backend="dead",reason="connect-refused",blame="backend"}': 450,
    '{balancer="narrow",backend="one",reason="client-gone",blame="client"}': 1,
  })
  assert.deepEqual(counted(figures, 'fastify_balancer_backend_retries_total'), {
    '{balancer="retried",backend="live"}': 450,
  })
  // Which of the two answered whom is chance; together they have answered everybody, once.
  const both = (metric: string, labels: string) =>
    ['a', 'b'].reduce((sum, id) => sum + figures[`${metric}{balancer="main",backend="${id}"${labels}}`]!, 0)
  assert.equal(both('fastify_balancer_attempts_total', ',outcome="ok"'), 1800 + 250 + 400)
  assert.equal(both('fastify_balancer_attempts_total', ',outcome="body-truncated"'), 60)
  assert.equal(both('fastify_balancer_failed_attempts_total', ''), 400 + 60)
  assert.equal(both('fastify_balancer_responses_total', ',status="2xx"'), 1800 + 60)
  assert.equal(both('fastify_balancer_responses_total', ',status="4xx"'), 250)
  assert.equal(both('fastify_balancer_responses_total', ',status="5xx"'), 400)
  assert.equal(both('fastify_balancer_backend_response_seconds_count', ''), 1800 + 60 + 250 + 400)
  assert.equal(both('fastify_balancer_backend_sent_bytes_total', ''), 300 * size)
  assert.equal(both('fastify_balancer_backend_received_bytes_total', ''), (1800 + 250 + 400) * size + 60)
  assert.equal(both('fastify_balancer_backend_in_flight', ''), 0)

  const all = { main: 1800 + 250 + 400 + 60 + 120, refused: 350, retried: 450, narrow: 301 }
  for (const [name, count] of Object.entries(all))
    assert.equal(figures[`fastify_balancer_request_duration_seconds_count{balancer="${name}"}`], count, name)
  assert.equal(figures['fastify_balancer_request_duration_seconds_sum{balancer="narrow"}'], 101 * 0.5)
  // By the balancer's own clock: who went away at once did not wait, and who waited in vain did so for all of it.
  const wait = (end: string) => figures[`fastify_balancer_queue_wait_seconds_${end}`]
  assert.equal(wait('count{balancer="narrow"}'), 101)
  assert.equal(wait('sum{balancer="narrow"}'), 100 * 0.5)
  assert.equal(wait('bucket{balancer="narrow",le="0.25"}'), 1)
  assert.equal(wait('bucket{balancer="narrow",le="0.5"}'), 101)
})
