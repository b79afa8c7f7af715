import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { ask } from '../../support/ask.ts'
import { startApp } from '../../support/app.ts'
import { startBackend, unusedOrigin } from '../../support/backend.ts'
import { ManualClock } from '../../support/clock.ts'
import { callUnary, grpcClient, startGrpcApp, startGrpcBackend } from '../../support/grpc.ts'
import { until } from '../../support/until.ts'

failOnCrash()

const grpc = { 'content-type': 'application/grpc' }
const never = () => {}

test('the rest of a deadline is passed on, attempt by attempt; the shorter limit counts', async (t) => {
  const backend = await startBackend(t)
  const clock = new ManualClock()
  const { app, url } = await startApp(t, {
    backends: [{ url: await unusedOrigin(), id: 'down' }, backend.url],
    clock,
    timeouts: { request: 20_000 },
  })
  // The second attempt begins a second later.
  app.balancer.addHook('onAttemptEnd', ({ backend: { id } }) => id === 'down' && clock.advance(1000))
  const sent = async (headers: Record<string, string>) => {
    await ask(url, { method: 'POST', headers })
    const { 'grpc-timeout': timeout, 'connect-timeout-ms': connect } = backend.received.at(-1)!.headers
    return timeout ?? connect
  }
  assert.equal(await sent({ ...grpc, 'grpc-timeout': '5S' }), '4000m')
  assert.equal(await sent({ ...grpc, 'grpc-timeout': '2500000u' }), '1500m')
  assert.equal(await sent({ ...grpc, 'grpc-timeout': '1M' }), '19000m')
  assert.equal(await sent(grpc), '19000m')
  assert.equal(await sent({ 'content-type': 'application/connect+proto', 'connect-timeout-ms': '5000' }), '4000')
  // What is no time is for the backend to refuse.
  assert.equal(await sent({ ...grpc, 'grpc-timeout': '123456789S' }), '19000m')
  assert.equal(await sent({ 'content-type': 'text/plain', 'grpc-timeout': '5S' }), '5S')
})

test("the client's deadline ends a call at a backend that is quiet, and does not count against it", async (t) => {
  let cancelled = 0
  const backend = await startGrpcBackend(t, {
    handlers: { Unary: (call) => void call.on('cancelled', () => cancelled++) },
  })
  const { app, port, log } = await startGrpcApp(t, { backends: [{ url: backend.url, id: 'one' }] })
  const end = await callUnary(grpcClient(t, port), '', { timeout: 300 })
  assert.equal(end.code, 'DEADLINE_EXCEEDED')
  const left = backend.calls[0]!.getDeadline()
  assert.ok(Number(left) <= Date.now() + 300)
  await until('the backend knows', () => cancelled === 1)
  await until('it is logged', () => log.exchanges.length === 1)
  const { outcomes } = app.balancer.backend('one')
  // The client may be first.
  assert.deepEqual(
    Object.keys(outcomes).filter((outcome) => !/^client-|^ok$/.test(outcome)),
    [],
  )
})

test('a stream may be quiet for long where a download may not', async (t) => {
  const backend = await startBackend(t, never)
  const clock = new ManualClock()
  const { app, url } = await startApp(t, { backends: [{ url: backend.url, id: 'one' }], clock })
  const outcomes = new Map<string, string>()
  app.balancer.addHook('onAttemptEnd', ({ exchange, outcome }) => void outcomes.set(exchange.url, outcome!))
  const asked = [
    ask(`${url}/plain`),
    ask(`${url}/unary`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
    }),
    ask(`${url}/stream`, { method: 'POST', headers: grpc }),
    ask(`${url}/bounded`, { method: 'POST', headers: { ...grpc, 'grpc-timeout': '1H' } }),
  ]
  await until('all have arrived', () => backend.received.length === 4)
  clock.advance(31_000)
  await until('two have ended', () => outcomes.size === 2)
  assert.deepEqual(Object.fromEntries(outcomes), { '/plain': 'headers-timeout', '/unary': 'headers-timeout' })
  clock.advance(270_000)
  await until('one more has ended', () => outcomes.size === 3)
  assert.equal(outcomes.get('/stream'), 'stream-timeout')
  clock.advance(3_298_000)
  assert.equal(outcomes.size, 3)
  clock.advance(1000)
  const ends = await Promise.all(asked)
  assert.equal(outcomes.get('/bounded'), 'client-deadline')
  assert.deepEqual(
    ends.map(({ status, headers }) => [status, headers['grpc-status']]),
    [
      [504, undefined],
      [504, undefined],
      [200, '14'],
      [200, '4'],
    ],
  )
})

test('a deadline that passes in the middle of a stream ends it with a status', async (t) => {
  const clock = new ManualClock()
  const backend = await startGrpcBackend(t, {
    handlers: { Chat: (call) => void call.on('data', (one) => call.write(one)) },
  })
  const { port } = await startGrpcApp(t, { backends: [backend.url], clock, timeouts: { request: 10_000 } })
  const same = (bytes: Buffer) => bytes
  const call = grpcClient(t, port).makeBidiStreamRequest('/test.Echo/Chat', same, same)
  call.on('error', never)
  const ended = new Promise<{ code: number; details: string }>((resolve) => call.on('status', resolve))
  call.write(Buffer.from('x'))
  await once(call, 'data')
  clock.advance(10_000)
  const { code, details } = await ended
  assert.deepEqual([code, details], [4, 'The request took too long'])
})
