import core from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { listenApp } from '../../../test/support/app.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { startFront } from '../../../test/support/front.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { rawClient } from '../../../test/support/raw.ts'
import { until } from '../../../test/support/until.ts'

const target = '/path/of/it?token=secret&x=/y?z'

test('a line of the log has the path of a request, and not its query, which may hold what signs somebody in', async (t) => {
  const { url, log, backend } = await startFront(t)
  assert.equal((await ask(url + target)).status, 200)
  await backend.stop()
  assert.equal((await ask(url + target)).status, 502)
  await until('both are logged', () => log.exchanges.length === 2)
  assert.deepEqual(
    log.exchanges.map((line) => line.url),
    ['/path/of/it', '/path/of/it'],
  )
  assert.doesNotMatch(JSON.stringify(log.exchanges), /secret/)
})

test('a line says whether a request went to a backend at all', async (t) => {
  const { url, log, backend, balancer } = await startFront(t)
  await ask(url)
  await backend.stop()
  await ask(url)
  await balancer.setBackends([], { force: true })
  await ask(url)
  await until('all are logged', () => log.exchanges.length === 3)
  const [forwarded, failed, refused] = log.exchanges.map(({ msg }) => String(msg))
  assert.equal(forwarded, 'forwarded')
  assert.match(failed!, /^failed: connect-refused after \d+ ms, backend http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(refused, 'not forwarded: no-backend')
})

test('a line says whether the request has failed: not if the client is to blame', async (t) => {
  const { url, log, balancer } = await startFront(t, {
    listener: (request, response) => {
      if (request.url === '/hang') return
      response.statusCode = request.url === '/bad' ? 500 : 404
      response.end()
    },
  })
  await ask(`${url}/bad`)
  await ask(`${url}/missing`)
  const leaving = new AbortController()
  const gone = ask(`${url}/hang`, { signal: leaving.signal })
  await until('the backend has it', () => balancer.backends[0]!.inFlight === 1)
  leaving.abort()
  await gone
  await until('all are logged', () => log.exchanges.length === 3)
  assert.deepEqual(
    log.exchanges.map(({ msg, failed, outcome }) => [
      String(msg).replace(/after .*, backend http.*/, 'after …'),
      failed,
      outcome,
    ]),
    [
      ['failed: status 500 after …', true, 'ok'],
      ['forwarded', undefined, 'ok'],
      ['not completed: client-gone after …', undefined, 'client-gone'],
    ],
  )
})

test('a line of what a drain has cut off speaks of no client', async (t) => {
  const { url, log, balancer, backend } = await startFront(t, { listener: () => undefined })
  const answer = ask(url)
  await until('the backend has it', () => balancer.backends[0]!.inFlight === 1)
  void balancer.drain(balancer.backends[0]!.id, { deadline: 50 })
  assert.equal((await answer).status, 503)
  await until('it is logged', () => log.exchanges.length === 1)
  assert.deepEqual(
    log.exchanges[0]!.attempts.map(({ outcome, error }) => [outcome, error]),
    [['drain-deadline', undefined]],
  )
  await backend.stop()
})

test("nor has Fastify's own line of a request that a hook answers, however the app shows requests", async (t) => {
  const log = new LogLines()
  const app = Fastify({
    logger: { level: log.level, stream: log.stream, serializers: { req: ({ url }) => ({ url, own: 1 }) } },
  })
  const backend = await startBackend(t)
  app.addHook('onRequest', async (_request, reply) => reply.code(401).send('no'))
  await app.register(core, { backends: [backend.url] })
  const { url } = await listenApp(t, app)
  assert.equal((await ask(url + target)).status, 401)
  await until('all is logged', () => log.all.some(({ msg }) => msg === 'request completed'))
  assert.deepEqual(log.all.find(({ msg }) => msg === 'request completed')?.['req'], { url: '/path/of/it', own: 1 })
  assert.doesNotMatch(JSON.stringify(log.all), /secret/)
})

test('with `logQuery`, the query is logged', async (t) => {
  const { url, log } = await startFront(t, {
    balancer: { logQuery: true },
    before: (app) =>
      app.addHook('onRequest', (request, reply, done) => {
        if (request.headers['x-refuse'] === undefined) done()
        else reply.code(401).send('no')
      }),
  })
  await ask(url + target)
  await until('it is logged', () => log.exchanges.length === 1)
  assert.equal(log.exchanges[0]!.url, target)
  await ask(url + target, { headers: { 'x-refuse': '1' } })
  await until('the refusal is logged', () => log.all.some(({ msg }) => msg === 'request completed'))
  const { req } = log.all.find(({ msg }) => msg === 'request completed') as { req?: { url?: string } }
  assert.equal(req?.url, target)
})

for (const logQuery of [false, true])
  test(`a password in a target in absolute form is never logged (logQuery: ${logQuery})`, async (t) => {
    const { port, log } = await startFront(t, { balancer: { logQuery } })
    const client = await rawClient(t, port)
    client.send('GET http://user:secret@localhost/path HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    await client.closed()
    // Refused by whoever reads it first; if by the balancer, it has a line.
    for (const { url } of log.exchanges) assert.equal(url, 'http://localhost/path')
    assert.doesNotMatch(JSON.stringify(log.exchanges), /secret/)
  })
