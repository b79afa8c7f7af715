import type { Attempt } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'
import { good, silent, start, type Behaviour, type Stage, type StageOptions } from '../stage.ts'

/** Answers once it has the whole request. */
const patient: Behaviour = (response) => void response.req.resume().on('end', () => response.end('good'))
/** Reads, and never answers. */
const mute: Behaviour = (response) => void response.req.resume()

/** A stage that also tells its attempts, and a client that sends its body when it is told to. */
async function startUploads(t: TestContext, ids: string, options?: StageOptions) {
  const stage = await start(t, ids, options)
  const attempts: Attempt[] = []
  stage.balancer.addHook('onAttemptStart', (attempt) => void attempts.push(attempt))
  /** Sends the first half of a request. */
  async function upload(id = 'a') {
    const { received } = stage.backends[id]!
    const before = received.length
    const client = await rawClient(t, Number(new URL(stage.url).port))
    // In chunks: a small body with a length is taken whole before a backend is picked.
    client.send('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n')
    await until('the first half is there', () => received.length > before)
    const attempt = attempts.at(-1)!
    assert.deepEqual([attempt.started, attempt.uploaded], [true, false])
    const finish = async () => {
      client.send('5\r\nother\r\n0\r\n\r\n')
      await until('the whole is there', () => attempt.uploaded)
    }
    const leave = async () => {
      client.socket.destroy()
      await until('it has ended', () => attempt.outcome !== undefined)
    }
    return { attempt, finish, leave, answer: () => client.until(/\r\n\r\n/) }
  }
  return { ...stage, upload }
}

/** Opens a's circuit, and waits until it is half-open. */
async function halfOpen({ trip, clock, state, behaviour }: Stage, then: Behaviour) {
  await trip('a')
  behaviour['a'] = then
  clock.advance(10_000)
  assert.equal(state('a'), 'half-open')
}

test('a trial that its client sends slowly gives its slot on, and says nothing', async (t) => {
  const stage = await startUploads(t, 'ab')
  const { breaker, clock, state, upload, behaviour, get, balancer } = stage
  await halfOpen(stage, patient)
  const slow = await upload()
  assert.deepEqual([breaker.of('a').trials, breaker.of('a').changesIn], [1, 30_000])
  assert.equal(await get(), 'b 200')
  clock.advance(29_999)
  assert.equal(balancer.backend('a').available, false)
  clock.advance(1)
  // Nobody has asked: the backend is free for the next trial by itself.
  assert.deepEqual([balancer.backend('a').available, balancer.backend('a').vetoes], [true, []])
  const { trials, openings, reason } = breaker.of('a')
  assert.deepEqual([state('a'), trials, openings, reason], ['half-open', 0, 1, 'was open for 10 s'])
  await slow.leave()
  assert.deepEqual([slow.attempt.blame, state('a')], ['client', 'half-open'])
  behaviour['a'] = good
  assert.equal(await get(), 'a 200')
  assert.equal(state('a'), 'closed')
})

test('a trial that was sent slowly, and is answered in the end, closes it', async (t) => {
  const stage = await startUploads(t, 'ab')
  await halfOpen(stage, patient)
  const slow = await stage.upload()
  stage.clock.advance(40_000)
  assert.deepEqual([stage.state('a'), stage.breaker.of('a').trials], ['half-open', 0])
  await slow.finish()
  assert.match(await slow.answer(), /^HTTP\/1.1 200/)
  assert.equal(stage.state('a'), 'closed')
})

test('a backend that breaks off a trial that is sent slowly has failed', async (t) => {
  const stage = await startUploads(t, 'ab')
  await halfOpen(stage, silent)
  const slow = await stage.upload()
  stage.clock.advance(40_000)
  assert.equal(stage.state('a'), 'half-open')
  stage.backends['a']!.received.at(-1)!.socket.destroy()
  assert.match(await slow.answer(), /^HTTP\/1.1 502/)
  assert.deepEqual([stage.state('a'), stage.breaker.of('a').openings], ['open', 2])
  const { cause, duration } = stage.breaker.of('a').failures.at(-1)!
  assert.deepEqual([cause, duration], ['reset-before-headers', 0])
})

test('a trial is overdue so many ms after the backend had the whole of it', async (t) => {
  const stage = await startUploads(t, 'ab', { balancer: { timeouts: { headers: 0 } } })
  const { breaker, clock, state, balancer } = stage
  await halfOpen(stage, mute)
  const slow = await stage.upload()
  clock.advance(29_000)
  await slow.finish()
  const lasts = () => balancer.backend('a').vetoes.map(({ evidence }) => (evidence as { lasts: number }).lasts)
  assert.deepEqual(lasts(), [30_000])
  clock.advance(1000)
  // Its veto says so, too.
  assert.deepEqual([breaker.of('a').trials, breaker.of('a').changesIn, lasts()], [1, 29_000, [29_000]])
  clock.advance(28_999)
  assert.equal(state('a'), 'half-open')
  clock.advance(1)
  assert.deepEqual([state('a'), breaker.of('a').reason], ['open', 'a trial took longer than 30 s'])
  await slow.leave()
})

test('attempts are as slow as their backend is, however long the client took to send them', async (t) => {
  const stage = await startUploads(t, 'ab', {
    breaker: { rate: { calls: 2, minimumCalls: 2, slowAfter: 200, slowShare: 0.5 } },
  })
  const { behaviour, clock, state, breaker, upload } = stage
  const early: Behaviour = (response) => void response.end('that was enough')
  // One that is answered early has kept nobody waiting, either.
  for (const [one, time] of [
    [patient, 5000],
    [early, 5000],
    [patient, 5000],
  ] as const) {
    let go = () => {}
    behaviour['a'] = (response, url) => void (go = () => one(response, url))
    const slow = await upload()
    clock.advance(time)
    if (one === patient) await slow.finish()
    go()
    assert.match(await slow.answer(), /^HTTP\/1.1 200/)
    if (one === early) await slow.leave()
    await until('it has ended', () => slow.attempt.outcome !== undefined)
  }
  assert.equal(state('a'), 'closed')
  behaviour['a'] = (response) => {
    response.req.resume().on('end', () => {
      clock.advance(201)
      response.end('good')
    })
  }
  const slow = await upload()
  clock.advance(5000)
  await slow.finish()
  await slow.answer()
  await until('it is open', () => state('a') === 'open')
  assert.equal(breaker.of('a').reason, '1 of 2 calls took longer than 200 ms (50 % of the last 2 calls)')
})

test('a failure without headers took from when the backend had the whole request', async (t) => {
  const stage = await startUploads(t, 'ab', { breaker: { failures: 1 } })
  const { behaviour, clock, breaker, upload, backends } = stage
  behaviour['a'] = mute
  const slow = await upload()
  clock.advance(5000)
  await slow.finish()
  clock.advance(700)
  backends['a']!.received.at(-1)!.socket.destroy()
  await slow.answer()
  assert.deepEqual(
    breaker.of('a').failures.map(({ cause, duration }) => [cause, duration]),
    [['reset-before-headers', 700]],
  )
})
