import fastifyBalancer from 'fastify-balancer'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

/** A balancer in front of one backend that answers when it is told to; time stands still. */
async function start(t: TestContext, options: object = {}) {
  const clock = new ManualClock(5000)
  const log = new LogLines()
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void held.push(response))
  const app = Fastify({ logger: log })
  await app.register(fastifyBalancer, {
    backends: [{ id: 'a', url: backend.url, maxInFlight: 1 }],
    clock,
    healthCheck: false,
    circuitBreaker: false,
    admin: { insecure: true },
    ...options,
  })
  const { url } = await listenApp(t, app)
  const summary = async () => JSON.parse((await ask(`${url}/_balancer/balancers`)).body) as Summary
  const stream = await fetch(`${url}/_balancer/events?type=queue,overload`)
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel())
  let text = ''
  /** Waits for so many events in all. */
  const events = async (count: number) => {
    const found = () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Told)
    while (found().length < count) text += (await reader.read()).value ?? ''
    return found()
  }
  const lines = (about: RegExp) =>
    log.all.filter(({ msg }) => msg !== undefined && about.test(msg)).map(({ level, msg }) => `${level} ${msg}`)
  return { app, url, clock, held, summary, events, lines }
}

interface Summary {
  readonly balancers: readonly { readonly queue: object }[]
  readonly process?: { readonly shed?: number }
}

interface Told {
  readonly type: string
  readonly refusing: boolean
  readonly since: number
  readonly refused: number
  readonly text: string
  readonly [name: string]: unknown
}

describe('a queue that refuses requests', () => {
  const queueing = { queue: { max: 1 }, timeouts: { queue: 60_000, headers: 0 } }

  test('is counted, is one event at the beginning and one at the end, and a line every 10 s', async (t) => {
    const { app, url, clock, held, summary, events, lines } = await start(t, queueing)
    const about = /^queue of/
    const running = [ask(url), ask(url)]
    await until('one is in flight, and one waits', () => app.balancer.queue.length === 1 && held.length === 1)
    const before = clock.pending
    const refused = await Promise.all(Array.from({ length: 12 }, () => ask(url)))
    assert.deepEqual(
      refused.map(({ status, body }) => [status, (JSON.parse(body) as { code: string }).code]),
      Array.from({ length: 12 }, () => [503, 'FST_BALANCER_QUEUE_FULL']),
    )
    const limit = 'max 1, 1 backend at its limit of 1'
    assert.deepEqual(lines(about), [`40 queue of balancer default full: requests are refused (${limit})`])
    assert.equal(clock.pending, before + 1)
    const { queue } = (await summary()).balancers[0]!
    const { refusingSince, ...counts } = queue as { refusingSince?: number }
    assert.deepEqual([counts, typeof refusingSince], [{ waiting: 1, max: 1, refused: 12 }, 'number'])

    clock.advance(10_000)
    await ask(url)
    clock.advance(10_000)
    clock.advance(10_000)
    assert.deepEqual(lines(about).slice(1), [
      `40 queue of balancer default full: 12 requests refused in 10 s (${limit})`,
      `40 queue of balancer default full: 1 request refused in 10 s (${limit})`,
      '30 queue of balancer default refuses no more requests: 13 requests refused in 10 s',
    ])
    assert.deepEqual([clock.pending, app.balancer.queue.refused], [before, 13])
    assert.deepEqual((await summary()).balancers[0]!.queue, { waiting: 1, max: 1, refused: 13 })
    const [began, ended] = await events(2)
    const { id: _, at: __, since, ...first } = began!
    assert.deepEqual(
      [first, typeof since],
      [
        {
          type: 'queue',
          balancer: 'default',
          refusing: true,
          refused: 1,
          reasons: { 'queue-full': 1 },
          waiting: 1,
          max: 1,
          eligible: 1,
          busy: 1,
          text: `queue of balancer default full: requests are refused (${limit})`,
        },
        'number',
      ],
    )
    assert.deepEqual(
      [ended!.refusing, ended!.refused, ended!['reasons'], ended!.since],
      [false, 13, { 'queue-full': 13 }, since],
    )

    held[0]!.end()
    await until('the other one came', () => held.length === 2)
    held[1]!.end()
    for (const { status } of await Promise.all(running)) assert.equal(status, 200)
  })

  test('those that have waited too long count, too', async (t) => {
    const { app, url, clock, held, events, lines } = await start(t, { queue: { max: 9 }, timeouts: { queue: 1000 } })
    const running = ask(url)
    await until('one is in flight', () => held.length === 1)
    const waiting = [ask(url), ask(url)]
    await until('two wait', () => app.balancer.queue.length === 2)
    clock.advance(1000)
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 503)
    assert.equal(app.balancer.queue.refused, 2)
    assert.deepEqual(lines(/^queue of/), [
      '40 queue of balancer default too slow: requests are refused (max 9, 1 backend at its limit of 1)',
    ])
    held[0]!.end()
    await running
    clock.advance(20_000)
    const [, ended] = await events(2)
    assert.deepEqual([ended!.refusing, ended!.refused, ended!['reasons']], [false, 2, { 'queue-timeout': 2 }])
  })

  test('those that are shed in overload count, too', async (t) => {
    const { app, url, clock, held, lines } = await start(t, {
      queue: { max: 9, shed: 'codel', target: 5, interval: 100 },
      timeouts: { queue: 60_000, headers: 0 },
    })
    const running = [ask(url)]
    await until('one is in flight', () => held.length === 1)
    const waiting = [ask(url), ask(url), ask(url)]
    await until('three wait', () => app.balancer.queue.length === 3)
    clock.advance(200)
    // With it comes the look at those that wait: all but the last one have waited too long.
    running.push(ask(url))
    await until('two are turned away', () => app.balancer.queue.refused === 2)
    assert.deepEqual(lines(/^queue of/), [
      '40 queue of balancer default overloaded: requests are refused (max 9, 1 backend at its limit of 1)',
    ])
    for (let served = 0; served < 3; served++) {
      await until('the next one comes', () => held.length > served)
      held[served]!.end()
    }
    const answers = await Promise.all([...running, ...waiting])
    assert.equal(answers.filter(({ status }) => status === 200).length, 3)
  })

  test('nothing of it while nothing is refused', async (t) => {
    const { app, url, held, lines } = await start(t, queueing)
    const running = [ask(url), ask(url)]
    await until('one is in flight, and one waits', () => app.balancer.queue.length === 1 && held.length === 1)
    held[0]!.end()
    await until('the other one came', () => held.length === 2)
    held[1]!.end()
    await Promise.all(running)
    assert.deepEqual([app.balancer.queue.refused, lines(/^queue of/)], [0, []])
  })
})

describe('shed load', () => {
  /** Any process has more than this in memory, once it is measured. */
  const shedding = {
    underPressure: { maxEventLoopDelay: false, maxRssBytes: 1_048_576, sampleInterval: 10, retryAfter: 7 },
  }

  test('each request counts once, with an event at the beginning and at the end, and a line every 10 s', async (t) => {
    const { app, url, clock, summary, events, lines } = await start(t, shedding)
    await until('it is measured', () => app.isUnderPressure())
    assert.deepEqual([app.balancerShedding?.total, app.balancerShedding?.since], [0, undefined])
    const refused = await Promise.all(Array.from({ length: 158 }, () => ask(url)))
    for (const { status, headers, body } of refused) {
      assert.deepEqual([status, headers['retry-after']], [503, '7'])
      assert.deepEqual(JSON.parse(body), {
        statusCode: 503,
        code: 'FST_UNDER_PRESSURE',
        error: 'Service Unavailable',
        message: 'Service Unavailable',
      })
    }
    assert.equal(app.balancerShedding?.total, 158)
    assert.equal((await summary()).process?.shed, 158)
    const excess = String.raw`\(resident memory \d+ MiB, limit 1 MiB\)`
    const about = /overloaded:/
    assert.deepEqual(lines(/^Service Unavailable$/), [], 'no error line for each')
    assert.equal(lines(about).length, 1)
    assert.match(lines(about)[0]!, new RegExp(`^40 overloaded: requests get 503 ${excess}$`))
    clock.advance(10_000)
    clock.advance(10_000)
    const [, summed, ended] = lines(about)
    assert.match(summed!, new RegExp(`^40 overloaded: 158 requests refused in 10 s ${excess}$`))
    assert.equal(ended, '30 no longer overloaded: 158 requests refused in 0 ms')
    const told = await events(2)
    assert.deepEqual(
      told.map(({ type, refusing, refused: count, exceeded, limit }) => [type, refusing, count, exceeded, limit]),
      [
        ['overload', true, 1, 'rssBytes', 1_048_576],
        ['overload', false, 158, 'rssBytes', 1_048_576],
      ],
    )
    assert.ok((told[0]!['value'] as number) > 1_048_576)
  })

  test('not told to other servers of this process', async (t) => {
    const one = await start(t, shedding)
    const other = await start(t, shedding)
    await until('both are measured', () => one.app.isUnderPressure() && other.app.isUnderPressure())
    await ask(other.url)
    await ask(one.url)
    const [first] = await one.events(1)
    assert.equal(first!.refused, 1)
    assert.deepEqual([one.app.balancerShedding?.total, other.app.balancerShedding?.total], [1, 1])
    one.clock.advance(20_000)
    assert.equal((await one.events(2)).length, 2)
  })

  test('the end is told when the app closes', async (t) => {
    const { app, url, lines } = await start(t, shedding)
    await until('it is measured', () => app.isUnderPressure())
    await ask(url)
    const notices: { refusing: boolean }[] = []
    const listener = (notice: unknown) => void notices.push(notice as { refusing: boolean })
    subscribe('fastify-balancer:overload', listener)
    t.after(() => unsubscribe('fastify-balancer:overload', listener))
    app.server.closeAllConnections()
    await app.close()
    assert.deepEqual(
      notices.map(({ refusing }) => refusing),
      [false],
    )
    assert.match(lines(/overloaded/).at(-1)!, /^30 no longer overloaded: 1 request refused in 0 ms$/)
  })
})
