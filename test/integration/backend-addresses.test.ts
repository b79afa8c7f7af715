// Backends with a path before all others, and behind Unix sockets.
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import adminRoutes from '@fastify-balancer/admin-routes'
import healthCheck from '@fastify-balancer/health-check'
import mirror from '@fastify-balancer/mirror'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp, startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { asked, listen, startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, switching } from '../support/upgrade-backend.ts'

failOnCrash()

const lanes = ['raw', 'full'] as const

/** A path for a socket, in a folder that is removed after the test. */
function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'app.sock')
}

/** Lets a server listen on a Unix socket; what is open is cut when the test ends. */
async function listenOn(t: TestContext, server: NetServer, path = socketPath(t)): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  return path
}

interface Told {
  readonly method: string
  readonly url: string
  readonly host: string | undefined
  readonly body: string
}

/** Answers with what it was asked. */
const telling = (
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'on'>,
  response: { end(body: string): void },
) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    const { method, url, headers } = request
    response.end(JSON.stringify({ method, url, host: headers.host ?? headers[':authority'], body }))
  })
}

async function told(answer: ReturnType<typeof ask>): Promise<Told> {
  return JSON.parse((await answer).body) as Told
}

type Kind = 'TCP' | 'Unix socket'

/** The address of a server that speaks `protocol`. */
async function addressOf(t: TestContext, kind: Kind, protocol: 'http1' | 'h2c'): Promise<string> {
  const server = protocol === 'http1' ? createServer(telling) : createHttp2Server(telling as never)
  if (kind === 'Unix socket') return `unix:${await listenOn(t, server)}:`
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const url = await listen(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return url
}

for (const kind of ['TCP', 'Unix socket'] as const)
  for (const protocol of ['http1', 'h2c'] as const)
    for (const lane of lanes)
      test(`a path of the backend's own stands before all others: ${kind}, ${protocol}, ${lane} lane`, async (t) => {
        const address = await addressOf(t, kind, protocol)
        const { url, app } = await startApp(t, {
          backends: [`${address}/base/`],
          prefix: '/api',
          rewrite: { stripPrefix: true },
          pool: { protocol },
          lane,
        })
        assert.equal(app.balancer.backends[0]!.id, `${address}/base`)
        assert.equal(app.balancer.backends[0]!.url, `${address}/base`)
        const host = url.replace('http://', '')
        assert.deepEqual(await told(ask(`${url}/api/x%2Fy?q=/z`)), {
          method: 'GET',
          url: '/base/x%2Fy?q=/z',
          host,
          body: '',
        })
        assert.deepEqual(await told(ask(`${url}/api`, { method: 'POST', body: 'sent' })), {
          method: 'POST',
          url: '/base/',
          host,
          body: 'sent',
        })
        assert.equal(app.balancer.explain({ url: '/api/x' }).picked, `${address}/base`)
      })

test("with host: 'backend', a Unix socket is localhost", async (t) => {
  const address = await addressOf(t, 'Unix socket', 'http1')
  const { url } = await startApp(t, { backends: [address], host: 'backend' })
  assert.equal((await told(ask(`${url}/x`))).host, 'localhost')
})

test('OPTIONS * is for the whole server, whatever the path of the backend', async (t) => {
  const backend = await startBackend(t)
  const { port } = await startApp(t, { backends: [`${backend.url}/base`] })
  const client = await rawClient(t, port)
  client.send('OPTIONS * HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n')
  assert.match(await client.closed(), /^HTTP\/1\.1 200 /)
  assert.equal(backend.received[0]!.url, 'http://a.example')
})

for (const lane of lanes)
  test(`a redirect from a backend with a path leads clients to the same place: ${lane} lane`, async (t) => {
    const backend = await startBackend(t, (request, response) => {
      const location = request.url === '/base/there' ? '/elsewhere' : `http://${request.headers.host}/base/there`
      response.writeHead(302, { location, 'set-cookie': 'a=1; Path=/base/x' }).end()
    })
    const { url, app } = await startApp(t, { backends: [`${backend.url}/base`], host: 'backend', lane })
    assert.deepEqual((await ask(`${url}/here`)).headers.location, '/there')
    assert.deepEqual((await ask(`${url}/there`)).headers.location, '/elsewhere')
    // Cookies only if that is asked for.
    assert.deepEqual((await ask(`${url}/here`)).headers['set-cookie'], ['a=1; Path=/base/x'])
    // By the backend, not by the route: another one has no path.
    await app.balancer.setBackends([backend.url])
    assert.deepEqual((await ask(`${url}/here`)).headers.location, `${backend.url}/base/there`)
  })

test('a WebSocket crosses to a Unix socket, below the path of the backend', async (t) => {
  const heads: string[] = []
  const server = createNetServer((socket) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (heads.length > 0) socket.write(chunk)
      else if (text.includes('\r\n\r\n')) {
        heads.push(text)
        socket.write(`${switching(text)}\r\n`)
      }
    })
  })
  const { port, app } = await startApp(t, { backends: [`unix:${await listenOn(t, server)}:/base`], drainDeadline: 20 })
  const client = await rawClient(t, port)
  client.send(handshake('/chat'))
  assert.match(await client.until(/\r\n\r\n/), /^HTTP\/1\.1 101 /)
  assert.match(heads[0]!, /^GET \/base\/chat HTTP/)
  client.send('\x81\x82maskhi')
  await client.until(/maskhi/)
  assert.equal(app.balancer.backends[0]!.tunnels.size, 1)
})

test('TLS to a Unix socket is verified as for localhost', async (t) => {
  const path = await listenOn(t, createTlsServer(localhost, telling))
  const { url } = await startApp(t, { backends: [`https://unix:${path}:/base`], pool: { tls: { ca: localhost.cert } } })
  assert.equal((await told(ask(`${url}/x`))).url, '/base/x')
  const distrusting = await startApp(t, { backends: [`https://unix:${path}`] })
  assert.equal((await ask(distrusting.url)).status, 502)
  await until(
    'the reason is known',
    () => distrusting.app.balancer.backends[0]!.outcomes['tls-certificate-untrusted'] === 1,
  )
})

test('the PROXY protocol comes first on a Unix socket', async (t) => {
  const server = createNetServer((socket) => {
    socket.on('data', (chunk) => {
      const [line = ''] = chunk.toString('latin1').split('\r\n')
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${line.length}\r\nconnection: close\r\n\r\n${line}`)
    })
  })
  const path = await listenOn(t, server)
  const { url } = await startApp(t, { backends: [{ url: `unix:${path}`, proxyProtocol: 'v1' }] })
  assert.match((await ask(url)).body, /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+$/)
})

test('a socket that is missing, stale or no socket is a failure that names no address, and it may come later', async (t) => {
  const path = socketPath(t)
  const { url, app } = await startApp(t, { backends: [`unix:${path}`, `unix:${tmpdir()}`], panicThreshold: false })
  const answer = await ask(url, { method: 'POST', body: 'x' })
  assert.equal(answer.status, 502)
  assert.doesNotMatch(answer.body + JSON.stringify(answer.headers), /sock|unix|tmp/)
  const [missing, folder] = app.balancer.backends
  assert.deepEqual(missing!.outcomes, { 'connect-failed': 1 })
  assert.deepEqual(folder!.outcomes, { 'connect-refused': 1 })
  await listenOn(t, createServer(telling), path)
  await app.balancer.setBackends([`unix:${path}`])
  assert.equal((await ask(url)).status, 200)
})

test('probes go where requests go', async (t) => {
  const paths: string[] = []
  const answer: RequestListener = (request, response) => {
    paths.push(`${request.method} ${request.url} ${request.headers.host}`)
    response.writeHead(request.url === '/base/healthz' ? 200 : 500).end()
  }
  const path = await listenOn(t, createServer(answer))
  const backend = await startBackend(t, answer)
  const app = Fastify()
  await app.register(balancer, { backends: [`unix:${path}:/base`, `${backend.url}/base/`, `unix:${path}.none`] })
  await app.register(healthCheck, { path: '/healthz' })
  await app.ready()
  t.after(() => app.close())
  assert.deepEqual(paths.toSorted(), [
    `HEAD /base/healthz ${backend.url.replace('http://', '')}`,
    'HEAD /base/healthz localhost',
  ])
  assert.deepEqual(
    app.balancer.backends.map(({ available }) => available),
    [true, true, false],
  )
  const [veto] = app.balancer.backends[2]!.vetoes
  assert.match(veto!.reason, /ENOENT/)
})

test('the admin API takes a Unix socket only if `allow` lists it, and any path of what it lists', async (t) => {
  const path = await listenOn(t, createServer(telling))
  const start = async (options: object, backends: BalancerOptions['backends'] = []) => {
    const app = Fastify()
    await app.register(balancer, { backends })
    await app.register(adminRoutes, { insecure: true, prefix: '/admin', ...options })
    return (await listenApp(t, app)).url
  }
  const add = (url: string, backend: string) =>
    ask(`${url}/admin/balancers/default/backends`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: backend }),
    })
  const listed = await start({ allow: [`unix:${path}`, '127.0.0.0/8'] })
  assert.equal((await add(listed, `unix:${path}:/base`)).status, 201)
  assert.equal((await add(listed, 'http://127.0.0.1:1/base')).status, 201)
  for (const other of [
    `unix:${path}x`,
    'unix:/var/run/docker.sock',
    `unix:${path.replace('/app.sock', '/../app.sock')}`,
    'http://a.test/127.0.0.1',
  ]) {
    const refused = await add(listed, other)
    assert.equal(refused.status, 400, other)
    assert.match(refused.body, /is not allowed by the admin option 'allow'/)
  }
  const open = await start({}, [`unix:${path}`])
  assert.equal((await add(open, 'unix:/var/run/docker.sock')).status, 400)
  assert.equal((await add(open, 'http://127.0.0.1:1/base')).status, 201)
  // One that is there already may stay.
  const put = await ask(`${open}/admin/balancers/default/backends`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ backends: [`unix:${path}`] }),
  })
  assert.equal(put.status, 200)
  const view = await ask(`${open}/admin/balancers/default/backends/${encodeURIComponent(`unix:${path}`)}`)
  assert.equal((JSON.parse(view.body) as { url: string }).url, `unix:${path}`)
})

test('a copy of a request does not have the path of the backend', async (t) => {
  const [backend, other] = [await startBackend(t), await startBackend(t)]
  const app = Fastify()
  await app.register(balancer, { backends: [`${backend.url}/base`] })
  await app.register(mirror, { to: [other.url] })
  const { url } = await listenApp(t, app)
  await ask(`${url}/x?y`)
  await until('it was copied', () => asked(other).length === 1)
  assert.deepEqual([backend.received[0]!.url, other.received[0]!.url], ['/base/x?y', '/x?y'])
})

test('with another path it is another backend', async (t) => {
  const backend = await startBackend(t)
  const { app, url } = await startApp(t, { backends: [{ url: backend.url, id: 'one' }] })
  const [before] = app.balancer.backends
  await app.balancer.setBackends([{ url: `${backend.url}/base`, id: 'one' }])
  assert.notEqual(app.balancer.backends[0], before)
  await ask(`${url}/x`)
  assert.equal(backend.received[0]!.url, '/base/x')
})
