import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

type Found = (error: NodeJS.ErrnoException | null, found?: { address: string; family: number }[]) => void

/** Answers look-ups of `backend.test` as `answer` says; all others as before. */
function mockLookup(t: TestContext, answer: () => string | NodeJS.ErrnoException) {
  const { lookup } = dns
  let asked = 0
  t.mock.method(dns, 'lookup', (name: string, options: dns.LookupOptions, callback: Found) => {
    if (name !== 'backend.test') return lookup(name, options as dns.LookupAllOptions, callback as never)
    asked++
    const found = answer()
    process.nextTick(() => {
      if (typeof found === 'string') callback(null, [{ address: found, family: 4 }])
      else callback(found)
    })
  })
  return () => asked
}

function lookupError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ${code} backend.test`), { code, syscall: 'getaddrinfo' })
}

test('a backend may be known by a name', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startApp(t, { backends: [backend.url.replace('127.0.0.1', 'localhost')] })
  assert.equal((await ask(url)).body, 'backend')
})

test('a name is looked up for each new connection, and only then', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/close') response.setHeader('connection', 'close')
    response.end('found')
  })
  const asked = mockLookup(t, () => '127.0.0.1')
  const { url } = await startApp(t, { backends: [backend.url.replace('127.0.0.1', 'backend.test')] })
  for (let count = 0; count < 3; count++) assert.equal((await ask(url)).body, 'found')
  assert.equal(asked(), 1)
  assert.equal((await ask(`${url}/close`)).body, 'found')
  assert.equal(asked(), 1)
  assert.equal((await ask(url)).body, 'found')
  assert.equal(asked(), 2)
})

test('a name that moves is followed with the next connection', async (t) => {
  const [old, moved] = [await startBackend(t, undefined, 'old'), await startBackend(t, undefined, 'moved')]
  // The same port elsewhere: 127.0.0.0/8 is all loopback.
  const { port } = new URL(old.url)
  const there = await new Promise<boolean>((resolve) => {
    moved.server.close(() => {
      moved.server.once('error', () => resolve(false))
      moved.server.listen(Number(port), '127.0.0.2', () => resolve(true))
    })
  })
  if (!there) return t.skip('there is no second loopback address')
  let address = '127.0.0.1'
  mockLookup(t, () => address)
  const { url } = await startApp(t, { backends: [`http://backend.test:${port}`] })
  assert.equal((await ask(url)).body, 'old')
  address = '127.0.0.2'
  assert.equal((await ask(url)).body, 'old')
  for (const socket of old.sockets) socket.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await ask(url)).body, 'moved')
})

test('a name that cannot be looked up is an outcome of the attempt, for as long as that lasts', async (t) => {
  const backend = await startBackend(t)
  let answer: string | NodeJS.ErrnoException = lookupError('ENOTFOUND')
  mockLookup(t, () => answer)
  const { app, url } = await startApp(t, {
    backends: [{ url: backend.url.replace('127.0.0.1', 'backend.test'), id: 'named' }],
    failureHeader: true,
  })
  for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL']) {
    answer = lookupError(code)
    const { status, headers } = await ask(url)
    assert.deepEqual([status, headers['x-balancer-failure']], [502, 'dns-failed'], code)
  }
  answer = '127.0.0.1'
  assert.equal((await ask(url)).body, 'backend')
  assert.deepEqual(app.balancer.backend('named').outcomes, { 'dns-failed': 3, ok: 1 })
})

test('while a name cannot be looked up, requests of any method go to another backend', async (t) => {
  const backend = await startBackend(t)
  const { app, url } = await startApp(t, {
    backends: [{ url: 'http://does-not-exist.invalid', id: 'nowhere' }, backend.url],
    timeouts: { connect: 60_000 },
  })
  for (const method of ['GET', 'POST', 'GET', 'POST']) assert.equal((await ask(url, { method })).body, 'backend')
  assert.deepEqual(Object.keys(app.balancer.backend('nowhere').outcomes), ['dns-failed'])
})
