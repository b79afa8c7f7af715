import assert from 'node:assert/strict'
import dns from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import { createServer as createSecureServer } from 'node:https'
import type { LookupFunction } from 'node:net'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { listen, startRawBackend } from '../../../test/support/backend.ts'
import { localhost } from '../../../test/support/certificates.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import { lookupOf } from '../src/name-lookup.ts'
import { mirrored } from './stage.ts'

const httpsOf = (url: string, host = 'localhost') => `https://${host}:${new URL(url).port}`

test('by TLS, a connection is for the name of the mirror, whatever the Host of the requests', async (t) => {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, localhost.cert])
  t.after(() => setDefaultCACertificates(before))
  const names: (string | false | null)[] = []
  const hosts: (string | undefined)[] = []
  const server = createSecureServer(localhost, (request, response) => {
    hosts.push(request.headers.host)
    response.end()
  })
  server.on('secureConnection', ({ servername }: TLSSocket & { servername: string | false | null }) =>
    names.push(servername),
  )
  const url = await listen(server)
  t.after(() => (server.closeAllConnections(), server.close()))
  const { url: front, idle, outcomes } = await mirrored(t, { to: [httpsOf(url), httpsOf(url, '127.0.0.1')] })
  for (const host of ['a.example', 'b.example']) {
    await ask(front, { headers: { host } })
    await idle()
  }
  assert.deepEqual([outcomes(0), outcomes(1)], [{ '2xx': 2 }, { '2xx': 2 }])
  assert.deepEqual(hosts, ['a.example', 'a.example', 'b.example', 'b.example'])
  // To an address, no name is sent.
  assert.deepEqual(new Set(names), new Set([false, 'localhost']))
  assert.equal(names.length, 2)
})

test('a handshake that is never answered meets the time limit for connecting, as it is then', async (t) => {
  const clock = new ManualClock()
  const silent = await startRawBackend(t, () => {})
  const to = [httpsOf(silent, '127.0.0.1')]
  const given = { to, timeouts: { connect: 600_000 } }
  const { app, url, outcomes, idle, view } = await mirrored(t, given, { clock })
  const backends = app.balancer.backends.map((one) => one.url)
  const change = await app.balancer.prepare(
    { backends, clock },
    { beside: { mirror: { to, timeouts: { connect: 10 } } } },
  )
  change.commit()
  await ask(url)
  await idle()
  assert.deepEqual(outcomes(), { 'connect-timeout': 1 })
  await ask(url)
  await until('the copy is on its way', () => view().sent === 2)
  await new Promise((resolve) => setImmediate(resolve))
  // While it is being connected, it cannot be aborted; it still ends.
  clock.advance(10_000)
  await idle()
  assert.deepEqual(outcomes(), { 'connect-timeout': 1, timeout: 1 })
})

/** Look-ups of the system that the test answers. */
function heldLookups(t: TestContext) {
  const asked: { name: string; answer(addresses: LookupAddress[] | Error): void }[] = []
  t.mock.method(dns, 'lookup', (name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<LookupAddress[]>()
    asked.push({ name, answer: (found) => (found instanceof Error ? reject(found) : resolve(found)) })
    return promise
  })
  return asked
}

function ip(address: string): LookupAddress {
  return { address, family: 4 }
}

const find = (lookup: LookupFunction) =>
  new Promise((resolve) => lookup('', { all: true }, (error, addresses) => resolve(error ?? addresses)))

test('the system is asked for one name at a time, however many connections wait', async (t) => {
  const asked = heldLookups(t)
  const [a, b] = [lookupOf('a.test', () => 0), lookupOf('b.test', () => 0)]
  const found = Promise.all([find(a), find(a), find(b)])
  await until('it is asked', () => asked.length === 1)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['a.test'],
  )
  const failure = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
  asked[0]!.answer(failure)
  await until('it is asked for the other', () => asked.length === 2)
  asked[1]!.answer([ip('10.0.0.1')])
  assert.deepEqual(await found, [failure, failure, [ip('10.0.0.1')]])
})

test('known addresses are used until others are known, and a look-up that fails changes nothing', async (t) => {
  const asked = heldLookups(t)
  let now = 0
  const lookup = lookupOf('a.test', () => now)
  const first = find(lookup)
  await until('it is asked', () => asked.length === 1)
  asked[0]!.answer([ip('10.0.0.1')])
  assert.deepEqual(await first, [ip('10.0.0.1')])
  now = 10_000
  await find(lookup)
  assert.equal(asked.length, 1)
  now = 10_001
  assert.deepEqual(await find(lookup), [ip('10.0.0.1')])
  await until('it is asked again', () => asked.length === 2)
  asked[1]!.answer(new Error('the name server does not answer'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await find(lookup), [ip('10.0.0.1')])
  await until('it is asked once more', () => asked.length === 3)
  asked[2]!.answer([ip('10.0.0.2'), ip('10.0.0.3')])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await find(lookup), [ip('10.0.0.2'), ip('10.0.0.3')])
  const single = await new Promise((resolve) => lookup('', {}, (...answer) => resolve(answer)))
  assert.deepEqual(single, [null, '10.0.0.2', 4])
})
