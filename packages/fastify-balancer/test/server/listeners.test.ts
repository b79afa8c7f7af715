import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startBackends } from '../../../../test/support/backend.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'
import { buildServer } from '../../src/server/running-server.ts'
import { anyPort, askSecurely, configured, run } from './running.ts'

const pem = (name: string) =>
  fileURLToPath(new URL(`../../../../test/support/certificates/${name}.pem`, import.meta.url))
const tls = { cert: pem('localhost.cert'), key: pem('localhost.key') }
const host = '127.0.0.1'

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'listeners-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

function askSocket(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/', agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += String(chunk))).on('end', () => resolve(body))
    })
      .on('error', reject)
      .end()
  })
}

async function askHttp2(url: string): Promise<string> {
  const session = connectHttp2(url, { rejectUnauthorized: false })
  const stream = session.request({ ':path': '/' })
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  session.close()
  return body
}

test('a port, TLS, HTTP/2 and a Unix socket: the same backends take turns, whichever way a request comes', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const path = join(folder(t), 'socket')
  const listen = [anyPort, { port: 0, host, tls }, { port: 0, host, tls, http2: true }, { path }]
  const { server, urls } = await run(t, configured([{ backends: backends.map(({ url }) => url) }], { listen }))

  assert.equal((await ask(urls[0]!)).body, 'a')
  assert.equal((await askSecurely(urls[1]!)).body, 'b')
  assert.equal(await askHttp2(urls[2]!), 'c')
  assert.equal((await askSecurely(urls[2]!)).body, 'a', 'HTTP/1.1 at the same port')
  assert.equal(await askSocket(path), 'b')
  assert.deepEqual(
    [...server.balancers.values()].map(({ backends: all }) => all.map(({ requests }) => requests)),
    [[2, 2, 1]],
  )
})

test('each listener trusts its own proxies', async (t) => {
  const backend = await startBackend(t)
  const listen = [anyPort, { ...anyPort, trustProxy: ['loopback'] }]
  const { urls } = await run(t, configured([{ backends: [backend.url] }], { listen }))
  for (const url of urls) await ask(url, { headers: { 'x-forwarded-for': '192.0.2.7' } })
  assert.deepEqual(
    backend.received.map(({ headers }) => headers['x-forwarded-for']),
    ['127.0.0.1', '192.0.2.7, 127.0.0.1'],
  )
})

test('proxies in front of one listener say by the PROXY protocol who the client is', async (t) => {
  const backend = await startBackend(t)
  const listen = [anyPort, { ...anyPort, proxyProtocol: { from: ['127.0.0.1'] } }]
  const { urls } = await run(t, configured([{ backends: [backend.url] }], { listen }))
  await ask(urls[0]!)
  const client = await rawClient(t, Number(new URL(urls[1]!).port))
  client.send('PROXY TCP4 192.0.2.7 192.0.2.8 1000 80\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  assert.match(await client.closed(), /^HTTP\/1\.1 200 /)
  assert.deepEqual(
    backend.received.map(({ headers }) => headers['x-forwarded-for']),
    ['127.0.0.1', '192.0.2.7'],
  )
})

test('every listener has the routes of every balancer', async (t) => {
  const [web, api] = await startBackends(t, 'web', 'api')
  const balancers = [
    { name: 'web', backends: [web!.url] },
    { name: 'api', prefix: '/api', backends: [api!.url] },
  ]
  const { urls } = await run(t, configured(balancers, { listen: [anyPort, anyPort] }))
  for (const url of urls) {
    assert.equal((await ask(`${url}/other`)).body, 'web')
    assert.equal((await ask(`${url}/api/x`)).body, 'api')
  }
})

test('closing lets what has come in by any listener finish, and takes nothing new', async (t) => {
  const waiting: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void waiting.push(response))
  const { server, urls } = await run(t, configured([{ backends: [backend.url] }], { listen: [anyPort, anyPort] }))
  const answers = urls.map((url) => ask(url))
  await until('both are under way', () => waiting.length === 2)
  const closed = server.close()
  await until('it closes', () => server.balancers.get('default')!.closing)
  for (const url of urls) {
    const { status, error } = await ask(url)
    assert.ok(status === 503 || error !== undefined)
  }
  for (const response of waiting) response.end('whole')

  assert.deepEqual(
    (await Promise.all(answers)).map(({ body, whole }) => [body, whole]),
    [
      ['whole', true],
      ['whole', true],
    ],
  )
  await closed
})

describe('if one listener cannot listen, none does', () => {
  test('a port that is in use', async (t) => {
    const [one] = await startBackends(t, 'one')
    const port = Number(new URL(one!.url).port)
    const path = join(folder(t), 'socket')
    const listen = [{ path }, { port, host }]
    const server = await buildServer(configured([{ backends: [one!.url] }], { listen }))
    await assert.rejects(server.listen(), {
      message: `port ${port} of 127.0.0.1 is in use; choose another port`,
      exitCode: 1,
    })
    assert.ok(!existsSync(path), 'the first has been closed')
  })

  test('an address of another machine', async () => {
    // Reserved for documentation (RFC 5737).
    const listen = [anyPort, { port: 0, host: '192.0.2.1' }]
    const server = await buildServer(configured([{ backends: [] }], { listen }))
    await assert.rejects(server.listen(), {
      message: 'port 0 of 192.0.2.1 cannot be opened: 192.0.2.1 is not an address of this machine',
      exitCode: 1,
    })
    assert.equal(server.listeners[0].app.server.listening, false)
  })

  test('the listener of the admin API', async (t) => {
    const [one] = await startBackends(t, 'one')
    const admin = { listen: { port: Number(new URL(one!.url).port), host } }
    const server = await buildServer(configured([{ backends: [one!.url] }], { admin }))
    await assert.rejects(server.listen(), /is in use/)
    assert.equal(server.listeners[0].app.server.listening, false)
  })
})

describe('a Unix socket', () => {
  test('left by a process that is gone is replaced, and removed at the end', async (t) => {
    const path = join(folder(t), 'socket')
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', program])
    assert.ok(existsSync(path))
    const [one] = await startBackends(t, 'one')
    const { server } = await run(t, configured([{ backends: [one!.url] }], { listen: [{ path }] }))
    assert.equal(await askSocket(path), 'one')
    await server.close()
    assert.ok(!existsSync(path))
  })

  test('of a process that runs is refused, and goes on', async (t) => {
    const path = join(folder(t), 'socket')
    const other = createServer((socket) => socket.end()).listen(path)
    t.after(() => other.close())
    await once(other, 'listening')
    const server = await buildServer(configured([{ backends: [] }], { listen: [{ path }] }))
    await assert.rejects(server.listen(), /^CommandError|the socket .* is in use by another process/)
    assert.ok(existsSync(path))
  })

  test('is not made where there is a file that is none: the file stays', async (t) => {
    const path = join(folder(t), 'file')
    writeFileSync(path, 'precious')
    const server = await buildServer(configured([{ backends: [] }], { listen: [{ path }] }))
    await assert.rejects(server.listen(), /exists, and is not a socket/)
    assert.equal(readFileSync(path, 'utf8'), 'precious')
  })
})

describe('certificates', () => {
  const other = { cert: pem('elsewhere.cert'), key: pem('elsewhere.key') }
  const cases: readonly (readonly [string, { cert: string; key: string }, RegExp])[] = [
    [
      'a file that is not there',
      { ...tls, cert: '/nowhere.pem' },
      /cannot read the certificate \/nowhere.pem: there is no/,
    ],
    ['a file that is no certificate', { ...tls, cert: tls.key }, /localhost.key.pem is not a certificate in PEM form/],
    ['a file that is no key', { ...tls, key: tls.cert }, /localhost.cert.pem is not a private key in PEM form/],
    [
      'a key of another',
      { ...tls, key: other.key },
      /elsewhere.key.pem does not belong to the certificate .*localhost.cert/,
    ],
  ]
  for (const [what, given, message] of cases)
    test(`${what} is refused before anything listens`, async () => {
      const listen = [{ port: 0, host, tls: given }]
      await assert.rejects(buildServer(configured([{ backends: [] }], { listen })), { message, exitCode: 2 })
    })

  test('are renewed while it runs; one that cannot be used changes nothing', async (t) => {
    const made = folder(t)
    const files = { cert: join(made, 'cert.pem'), key: join(made, 'key.pem') }
    const write = (from: typeof tls) => {
      writeFileSync(files.cert, readFileSync(from.cert))
      writeFileSync(files.key, readFileSync(from.key))
    }
    write(tls)
    const [one] = await startBackends(t, 'one')
    const listen = [{ port: 0, host, tls: files }]
    const { server, urls } = await run(t, configured([{ backends: [one!.url] }], { listen }))
    const before = await askSecurely(urls[0]!)
    write(other)
    server.listeners[0].renewCertificate()
    const after = await askSecurely(urls[0]!)
    assert.notEqual(after.subject, before.subject)
    writeFileSync(files.key, readFileSync(tls.key))
    assert.throws(() => server.listeners[0].renewCertificate(), /does not belong to the certificate/)
    assert.equal((await askSecurely(urls[0]!)).subject, after.subject)
  })
})
