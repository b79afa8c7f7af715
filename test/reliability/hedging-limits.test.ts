import circuitBreaker from '@fastify-balancer/circuit-breaker'
import type { Attempt, BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { ask, type Question } from '../support/ask.ts'
import { until } from '../support/until.ts'
import { startStage, unlimited, usual, type Stage, type StageOptions } from './hedging-stage.ts'

const never = () => {}

/** Requests that must run at one backend only, with the options of the balancer. */
const alone: Readonly<Record<string, readonly [Question, BalancerOptions?]>> = {
  'a method that is not retried': [{ method: 'DELETE' }],
  'a method that is not idempotent, even if it is retried': [{ method: 'POST' }, { retry: { methods: ['POST'] } }],
  'a method that is unknown, even if it is retried': [{ method: 'PROPFIND' }, { retry: { methods: ['PROPFIND'] } }],
  'GET, where it is not retried': [{}, { retry: { methods: ['HEAD'] } }],
  'a body': [{ headers: { 'content-length': 4 }, body: 'body' }],
  'a body in chunks': [{ headers: { 'transfer-encoding': 'chunked' }, body: 'body' }],
  'a body of PUT, where that is retried': [
    { method: 'PUT', headers: { 'content-length': 4 }, body: 'body' },
    { retry: { methods: ['PUT'] } },
  ],
  'a call of gRPC without a body': [
    { method: 'POST', headers: { 'content-type': 'application/grpc', te: 'trailers' } },
    { retry: { methods: ['POST'] } },
  ],
  'a call of gRPC that the app makes a GET': [
    { method: 'POST', headers: { 'content-type': 'application/grpc', te: 'trailers' } },
    { rewrite: { request: ({ out }) => void (out.method = 'GET') } },
  ],
  'a stream of events': [{ headers: { accept: 'Text/Event-Stream, */*' } }],
  'a client that signs in at a backend': [{ headers: { authorization: 'NTLM TlRMTVNTUAAB' } }],
  'a client that its policy binds to a backend': [
    {},
    { policy: { name: 'bound', over: ([one]) => ({ pick: () => one, peek: () => one, bound: () => one }) } },
  ],
  'a WebSocket': [
    {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      },
    },
  ],
}

describe('is not hedged:', () => {
  for (const [name, [question, options]] of Object.entries(alone))
    test(name, async (t) => {
      const stage = await startStage(t, { options: options ?? {} })
      const { method = 'GET', headers = {}, body } = question
      const outgoing = request(stage.url, { method, headers, agent: false })
      outgoing.on('error', never).end(body as string | undefined)
      await until('it has been sent', () => stage.attempts[0]?.uploaded === true)
      await stage.slow()
      assert.equal(stage.attempts.length, 1)
      outgoing.destroy()
      await stage.atRest()
    })

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
    test(`but ${method} is, if it is retried and has no body`, async (t) => {
      const stage = await startStage(t, { options: { retry: { methods: [method] } } })
      const answer = ask(stage.url, { method })
      await stage.arrived(0)
      await stage.slow()
      ;(await stage.arrived(1)).answer('')
      assert.equal((await answer).status, 200)
      assert.equal(stage.backends[1]!.held[0]!.method, method)
      await stage.atRest()
    })
})

/** Whether a slow request is hedged in this situation. */
async function isHedged(t: TestContext, options: StageOptions, prepare: (stage: Stage) => unknown): Promise<boolean> {
  const stage = await startStage(t, options)
  const answer = ask(`${stage.url}/watched`)
  const held = await stage.arrived(0)
  await prepare(stage)
  const before = stage.attempts.length
  await stage.slow()
  const hedges = stage.attempts.length - before
  held.answer('ok')
  assert.equal((await answer).status, 200)
  return hedges > 0
}

describe('there is no backend for a hedge', () => {
  test('where there is only one', async (t) => {
    assert.equal(await isHedged(t, { count: 1 }, never), false)
  })

  test('but where there are two, there is', async (t) => {
    assert.equal(await isHedged(t, { count: 2 }, never), true)
  })

  test('where the other one is a spare', async (t) => {
    const stage = await startStage(t, { count: 2 })
    await stage.balancer.update('backend-1', { priority: 1 })
    const answer = ask(stage.url)
    const held = await stage.arrived(0)
    await stage.slow()
    assert.equal(stage.attempts.length, 1)
    held.answer('ok')
    assert.equal((await answer).body, 'ok')
  })

  test('where the other one is unhealthy, even if the first has not been reached', async (t) => {
    const hedged = await isHedged(t, { count: 2 }, ({ balancer, attempts }) => {
      balancer.veto(balancer.backend('backend-1'), { by: 'test', reason: 'unhealthy' })
      Object.assign(attempts[0]!, { started: false })
    })
    assert.equal(hedged, false)
  })

  test('in panic', async (t) => {
    const hedged = await isHedged(
      t,
      { count: 3, options: { panicThreshold: 0.9, hedge: unlimited, retry: {} } },
      (stage) => {
        const { balancer } = stage
        balancer.veto(balancer.backend('backend-2'), { by: 'test', reason: 'unhealthy' })
      },
    )
    assert.equal(hedged, false)
  })

  test('where the other one is at `maxInFlight`: the hedge does not wait for it', async (t) => {
    const hedged = await isHedged(t, {}, async (stage) => {
      await stage.balancer.update('backend-1', { maxInFlight: 1 })
      stage.balancer.backend('backend-1').inFlight++
      t.after(() => stage.balancer.backend('backend-1').inFlight--)
      stage.clock.advance(usual)
      assert.equal(stage.balancer.queue.length, 0)
    })
    assert.equal(hedged, false)
  })

  test('that `onPick` refuses', async (t) => {
    const refused: string[] = []
    const hedged = await isHedged(t, { count: 2 }, ({ balancer }) => {
      balancer.addHook('onPick', ({ backend }) => {
        refused.push(backend.id)
        return false
      })
    })
    assert.equal(hedged, false)
    assert.deepEqual(new Set(refused), new Set(['backend-1']))
  })

  test('while others wait for one', async (t) => {
    const stage = await startStage(t, { count: 2 })
    const { balancer } = stage
    const answer = ask(`${stage.url}/watched`)
    const held = await stage.arrived(0)
    // Both are full for one that comes now, and it waits.
    for (const id of ['backend-0', 'backend-1']) await balancer.update(id, { maxInFlight: 1 })
    balancer.backend('backend-1').inFlight++
    const waiting = ask(`${stage.url}/waiting`)
    await until('it waits', () => balancer.queue.length === 1)
    // A place that nobody has been told of yet.
    balancer.backend('backend-1').inFlight--
    await stage.slow()
    assert.equal(stage.attempts.length, 1)
    held.answer('ok')
    assert.equal((await answer).status, 200)
    ;(await stage.arrived(0, 2)).answer('ok')
    assert.equal((await waiting).status, 200)
    await stage.atRest()
  })
})

test('a hedge counts as in flight: nothing else goes to a backend that is full with it', async (t) => {
  const stage = await startStage(t, { options: { queue: { max: 0 }, hedge: unlimited } })
  for (const id of ['backend-0', 'backend-1']) await stage.balancer.update(id, { maxInFlight: 1 })
  const answer = ask(stage.url)
  await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  assert.equal((await ask(stage.url)).status, 503)
  hedge.answer('ok')
  assert.equal((await answer).body, 'ok')
  await stage.atRest()
})

test('the loser makes room for one that waits', async (t) => {
  const stage = await startStage(t)
  for (const id of ['backend-0', 'backend-1']) await stage.balancer.update(id, { maxInFlight: 1 })
  const answer = ask(stage.url)
  await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  const waiting = ask(stage.url)
  await until('it waits', () => stage.balancer.queue.length === 1)
  // It goes on sending, so its own place stays taken.
  hedge.begin('begun')
  const next = await stage.arrived(0, 2)
  next.answer('had to wait')
  assert.equal((await waiting).body, 'had to wait')
  hedge.response.end()
  assert.equal((await answer).body, 'begun')
  await stage.atRest()
})

test('of a hundred requests, five may be hedged, however many are slow', async (t) => {
  const stage = await startStage(t, { options: { hedge: {} } })
  const total = 100
  const answers = Array.from({ length: total }, () => ask(stage.url))
  await stage.arrived(0, total)
  await stage.slow()
  assert.equal(stage.attempts.filter(({ hedge }) => hedge).length, 5)
  for (const { held } of stage.backends) for (const one of held) one.answer('ok')
  for (const answer of answers) assert.equal((await answer).status, 200)
  await stage.atRest()
})

test('what finds no backend costs no budget', async (t) => {
  const stage = await startStage(t, { options: { hedge: {} } })
  const refuse = () => false
  stage.balancer.addHook('onPick', refuse)
  const answers: Promise<unknown>[] = []
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++) answers.push(ask(stage.url))
    await stage.arrived(0, answers.length)
  }
  stage.balancer.removeHook('onPick', refuse)
  await send(20)
  stage.balancer.addHook('onPick', refuse)
  await stage.slow()
  assert.equal(stage.attempts.length, 20)
  stage.balancer.removeHook('onPick', refuse)
  await send(19)
  await stage.slow()
  assert.equal(stage.attempts.filter(({ hedge }) => hedge).length, 1)
  for (const { held } of stage.backends) for (const one of held) one.answer('ok')
  await Promise.all(answers)
  await stage.atRest()
})

describe('a backend is taken out while both attempts are running', () => {
  for (const index of [0, 1] as const) {
    const name = index === 0 ? 'the first' : 'the hedge'
    const id = `backend-${index}`

    test(`that of ${name}, at once: the other one goes on`, async (t) => {
      const stage = await startStage(t)
      const answer = ask(stage.url)
      await stage.arrived(0)
      await stage.slow()
      await stage.arrived(1)
      await stage.balancer.maintain(id)
      await until('it has ended', () => stage.ended.length === 1)
      assert.deepEqual(stage.ended, [`${id} drain-deadline`])
      stage.backends[1 - index]!.held[0]!.answer('ok')
      assert.equal((await answer).body, 'ok')
      await stage.atRest()
    })

    test(`that of ${name} drains: it may finish, and is idle when it has lost`, async (t) => {
      const stage = await startStage(t)
      const answer = ask(stage.url)
      await stage.arrived(0)
      await stage.slow()
      await stage.arrived(1)
      const drained = stage.balancer.drain(id)
      stage.backends[1 - index]!.held[0]!.answer('ok')
      assert.equal((await answer).body, 'ok')
      assert.equal(await drained, true)
      await stage.atRest()
      assert.deepEqual(stage.balancer.backend(id).outcomes, { 'hedge-lost': 1 })
    })

    test(`that of ${name} is removed from the list`, async (t) => {
      const stage = await startStage(t)
      const answer = ask(stage.url)
      await stage.arrived(0)
      await stage.slow()
      const both = [stage.backends[0]!.held[0]!, await stage.arrived(1)]
      await stage.balancer.remove(id)
      both[index]!.answer('still here')
      assert.equal((await answer).body, 'still here')
      await stage.atRest()
    })
  }
})

test('an app that closes waits for the winner, and for no loser', async (t) => {
  const stage = await startStage(t)
  const answer = ask(stage.url)
  const first = await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  const closed = stage.app.close()
  hedge.answer('ok')
  assert.equal((await answer).body, 'ok')
  await closed
  await until('the loser is told', () => first.gone)
  assert.equal(stage.clock.pending, 0)
})

test('an app that closes aborts both at its deadline', async (t) => {
  const stage = await startStage(t, { options: { drainDeadline: 1000, hedge: unlimited } })
  const answer = ask(stage.url)
  await stage.arrived(0)
  await stage.slow()
  await stage.arrived(1)
  const closed = stage.app.close()
  await until('it is closing', () => stage.balancer.closing)
  await until('the deadline runs', () => stage.clock.pending > 1)
  stage.clock.advance(1000)
  assert.equal((await answer).status, 503)
  await closed
  assert.deepEqual(stage.ended.sort(), ['backend-0 drain-deadline', 'backend-1 drain-deadline'])
})

test('an app that closes goes on hedging what is in progress, and leaves no timer', async (t) => {
  const stage = await startStage(t)
  const answer = ask(stage.url)
  await stage.arrived(0)
  const closed = stage.app.close()
  await stage.slow()
  ;(await stage.arrived(1)).answer('ok')
  assert.equal((await answer).body, 'ok')
  await closed
  assert.equal(stage.clock.pending, 0)
})

describe('a circuit', () => {
  /** The circuit of the second backend is half-open. */
  async function startHalfOpen(t: TestContext) {
    const stage = await startStage(t, {
      after: (app) => app.register(circuitBreaker, { failures: 1, openFor: 1000 }),
      options: { retry: { attempts: 0 }, hedge: unlimited, random: () => 0.5 },
    })
    const onlySecond = ({ backend }: Attempt) => backend.id === 'backend-1'
    stage.balancer.addHook('onPick', onlySecond)
    const failed = ask(stage.url)
    ;(await stage.arrived(1)).reset()
    assert.equal((await failed).status, 502)
    stage.balancer.removeHook('onPick', onlySecond)
    const circuit = () => {
      const { state, trials } = stage.app.circuitBreaker.of('backend-1')
      return `${state}, ${trials} trials`
    }
    assert.equal(circuit(), 'open, 0 trials')
    stage.clock.advance(1000)
    assert.equal(circuit(), 'half-open, 0 trials')
    return { ...stage, circuit, onlySecond }
  }

  test('that is half-open gets its trial back when that was a hedge, and lost', async (t) => {
    const stage = await startHalfOpen(t)
    const answer = ask(stage.url)
    const first = await stage.arrived(0)
    await stage.slow()
    await stage.arrived(1, 2)
    assert.equal(stage.circuit(), 'half-open, 1 trials')
    first.answer('ok')
    assert.equal((await answer).body, 'ok')
    await stage.atRest()
    assert.equal(stage.circuit(), 'half-open, 0 trials')
    // So there is another trial, which decides.
    stage.balancer.addHook('onPick', stage.onlySecond)
    const trial = ask(stage.url)
    ;(await stage.arrived(1, 3)).answer('ok')
    assert.equal((await trial).body, 'ok')
    assert.equal(stage.circuit(), 'closed, 0 trials')
  })

  test('that is half-open gets its trial back when that was hedged, and lost', async (t) => {
    const stage = await startHalfOpen(t)
    stage.balancer.addHook('onPick', stage.onlySecond)
    const answer = ask(stage.url)
    await stage.arrived(1, 2)
    stage.balancer.removeHook('onPick', stage.onlySecond)
    assert.equal(stage.circuit(), 'half-open, 1 trials')
    await stage.balancer.add({ url: stage.backends[0]!.url, id: 'third' })
    await stage.slow()
    ;(await stage.arrived(0)).answer('ok')
    assert.equal((await answer).body, 'ok')
    await stage.atRest()
    assert.equal(stage.circuit(), 'half-open, 0 trials')
  })

  test('closes when its trial was a hedge, and won', async (t) => {
    const stage = await startHalfOpen(t)
    const answer = ask(stage.url)
    await stage.arrived(0)
    await stage.slow()
    ;(await stage.arrived(1, 2)).answer('ok')
    assert.equal((await answer).body, 'ok')
    await stage.atRest()
    assert.equal(stage.circuit(), 'closed, 0 trials')
  })

  test('of a backend that loses stays closed, whatever it has failed before', async (t) => {
    const stage = await startStage(t, {
      after: (app) => app.register(circuitBreaker, { failures: 2 }),
    })
    for (let count = 1; count <= 5; count++) {
      const answer = ask(stage.url)
      await stage.arrived(0, count)
      await stage.slow()
      ;(await stage.arrived(1, count)).answer('ok')
      await answer
    }
    await stage.atRest()
    assert.deepEqual(stage.balancer.backend('backend-0').outcomes, { 'hedge-lost': 5 })
    const { state, failures } = stage.app.circuitBreaker.of('backend-0')
    assert.deepEqual([state, failures], ['closed', []])
  })
})

test('no backend that the policy refuses is asked only because another is slow', async (t) => {
  const policy: BalancerOptions['policy'] = {
    name: 'first',
    over: ([one]) => ({ pick: () => one, peek: () => one, refuses: (_request, backend) => backend !== one }),
  }
  const stage = await startStage(t, { options: { policy } })
  const answer = ask(stage.url)
  const held = await stage.arrived(0)
  await stage.slow()
  assert.equal(stage.attempts.length, 1)
  held.answer('done')
  assert.equal((await answer).body, 'done')
  await stage.atRest()
})
