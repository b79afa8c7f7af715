import balancer from '@fastify-balancer/balancer-core'
import { proxyProtocol } from '@fastify-balancer/proxy-protocol'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { seenBy, ways } from '../../packages/proxy-protocol/test/stage.ts'
import { listenApp, startApp } from '../support/app.ts'
import { startBackend, unusedOrigin } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { LogLines } from '../support/log-lines.ts'
import { missing, run } from '../support/other-server.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const skip = missing('haproxy')

const freePort = async () => Number(new URL(await unusedOrigin()).port)

function written(t: TestContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-protocol-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'both.pem'), `${localhost.cert}${localhost.key}`)
  writeFileSync(join(folder, 'cert.pem'), localhost.cert)
  writeFileSync(join(folder, 'key.pem'), localhost.key)
  writeFileSync(join(folder, name), text.replaceAll('FOLDER', folder))
  return join(folder, name)
}

const defaults = 'defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n'

/** A connection from that address of this machine. */
async function from(t: TestContext, localAddress: string, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

test('a closing balancer lets clients over HTTP/2 know, and finish', async (t) => {
  const waiting: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void waiting.push(response))
  const serverFactory = proxyProtocol({ from: ['127.0.0.1'] })
  const app = Fastify({ http2: true, serverFactory } as never) as unknown as FastifyInstance
  await app.register(balancer, { backends: [backend.url] })
  const { port } = await listenApp(t, app)
  const socket = await from(t, '127.0.0.1', port)
  socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
  const session = connectHttp2('http://a', { createConnection: () => socket })
  const stream = session.request({ ':path': '/caf%E9' })
  await until('the backend has it', () => waiting.length === 1)
  const closed = app.close()
  await once(session, 'goaway')
  waiting[0]!.end('whole')
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  assert.deepEqual([body, backend.received[0]!.headers['x-forwarded-for']], ['whole', '192.0.2.1'])
  await closed
})

describe('HAProxy in front of a balancer', { skip }, () => {
  for (const options of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,authority,unique-id'])
    test(`${options}: backends are told of the client, whatever it speaks, and checks pass`, async (t) => {
      const backend = await startBackend(t, ({ headers }, response) => {
        response.end(JSON.stringify({ ip: headers['x-forwarded-for'], protocol: headers['x-forwarded-proto'] }))
      })
      const log = new LogLines()
      const app = Fastify({
        logger: log,
        http2: true,
        https: localhost,
        serverFactory: proxyProtocol({ from: ['127.0.0.1'] }),
      } as never) as unknown as FastifyInstance
      await app.register(balancer, { backends: [backend.url] })
      t.after(() => app.close())
      await app.listen({ port: 0, host: '127.0.0.1' })
      const { port: own } = app.server.address() as AddressInfo
      const port = await freePort()
      const file = written(
        t,
        'haproxy.cfg',
        `${defaults}  mode tcp\nlisten web\n  bind 127.0.0.1:${port}\n  unique-id-format %Ts\n` +
          `  server app 127.0.0.1:${own} ${options} check check-send-proxy inter 50ms rise 1 fall 1\n`,
      )
      await run(t, ['haproxy', '-db', '-f', file], port)
      for (const way of ways) {
        const seen = await seenBy(await from(t, '127.0.0.2', port), way, 'body')
        assert.deepEqual(seen, { ip: '127.0.0.2', protocol: way.endsWith('TLS') ? 'https' : 'http' }, way)
      }
      assert.deepEqual(
        log.all.filter(({ level }) => level >= 40),
        [],
      )
      // Sessions of HTTP/2, too: the balancer knows the server that they are on.
      await app.close()
    })

  test('without `send-proxy`, nobody is served, and the log says why', async (t) => {
    const log = new LogLines()
    const app = Fastify({ logger: log, serverFactory: proxyProtocol({ from: ['127.0.0.1'] }) })
    t.after(() => app.close())
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port: own } = app.server.address() as AddressInfo
    const port = await freePort()
    const file = written(
      t,
      'haproxy.cfg',
      `${defaults}  mode tcp\nlisten web\n  bind 127.0.0.1:${port}\n  server app 127.0.0.1:${own}\n`,
    )
    await run(t, ['haproxy', '-db', '-f', file], port)
    const socket = await from(t, '127.0.0.2', port)
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    await until('it is logged', () =>
      log.all.some(({ msg }) => msg?.includes('does not begin with a PROXY protocol header')),
    )
  })
})

/** What is answered to two clients in turn, twice. */
async function answers(t: TestContext, url: string, version: 'v1' | 'v2', pool: object) {
  const { port } = await startApp(t, {
    backends: [{ url, proxyProtocol: version }],
    pool: { tls: { ca: localhost.cert, servername: 'localhost' }, ...pool },
  })
  const got: string[] = []
  for (const localAddress of ['127.0.0.2', '127.0.0.3', '127.0.0.2'])
    got.push(
      await new Promise<string>((resolve, reject) => {
        const asked = request({ port, host: '127.0.0.1', localAddress, agent: false }, (response) => {
          const { localPort } = response.socket
          let body = ''
          response.on('data', (chunk) => (body += String(chunk)))
          response.on('end', () => resolve(body.trim() === `${localAddress}:${localPort}` ? localAddress : body))
        })
        asked.on('error', reject)
        asked.end()
      }),
    )
  return got
}

const wanted = ['127.0.0.2', '127.0.0.3', '127.0.0.2']
const backendKinds = {
  'HTTP/1.1': { scheme: 'http', haproxy: '', nginx: '', pool: {} },
  'HTTP/1.1 over TLS': { scheme: 'https', haproxy: ' ssl crt FOLDER/both.pem', nginx: ' ssl', pool: {} },
  h2c: { scheme: 'http', haproxy: ' proto h2', nginx: ' http2', pool: { protocol: 'h2c' } },
  'HTTP/2 over TLS': {
    scheme: 'https',
    haproxy: ' ssl crt FOLDER/both.pem alpn h2',
    nginx: ' ssl http2',
    pool: { protocol: 'http2' },
  },
} as const

for (const [name, { scheme, haproxy, nginx, pool }] of Object.entries(backendKinds))
  describe(`a backend that speaks ${name} is told of the client`, () => {
    for (const version of ['v1', 'v2'] as const) {
      test(`HAProxy with accept-proxy, ${version}`, { skip }, async (t) => {
        const port = await freePort()
        const file = written(
          t,
          'haproxy.cfg',
          `${defaults}  mode http\nfrontend web\n  bind 127.0.0.1:${port} accept-proxy${haproxy}\n` +
            '  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port]"\n',
        )
        await run(t, ['haproxy', '-db', '-f', file], port)
        assert.deepEqual(await answers(t, `${scheme}://127.0.0.1:${port}`, version, pool), wanted)
      })

      test(`nginx with proxy_protocol, ${version}`, { skip: missing('nginx') }, async (t) => {
        const port = await freePort()
        const file = written(
          t,
          'nginx.conf',
          `daemon off; error_log stderr; pid FOLDER/nginx.pid; events {}\nhttp { access_log off; server {\n` +
            `  listen 127.0.0.1:${port} proxy_protocol${nginx}; ssl_certificate FOLDER/cert.pem; ssl_certificate_key FOLDER/key.pem;\n` +
            '  location / { return 200 "$proxy_protocol_addr:$proxy_protocol_port"; }\n} }\n',
        )
        await run(t, ['nginx', '-e', 'stderr', '-c', file], port)
        assert.deepEqual(await answers(t, `${scheme}://127.0.0.1:${port}`, version, pool), wanted)
      })
    }
  })
