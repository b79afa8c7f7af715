import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { rawClient } from '../support/raw.ts'

/** Sends targets byte for byte; answers what the backend was asked for, or the status where it was not asked. */
async function forwardedAs(
  t: TestContext,
  options: BalancerOptions & { scope?: string; server?: FastifyServerOptions },
  targets: readonly string[],
): Promise<string[]> {
  const { scope, server, ...rest } = options
  const backend = await startBackend(t)
  const app = Fastify(server)
  if (scope === undefined) await app.register(balancer, { ...rest, backends: [backend.url] })
  else
    await app.register(async (inner) => inner.register(balancer, { ...rest, backends: [backend.url] }), {
      prefix: scope,
    })
  const { port } = await listenApp(t, app)
  const results: string[] = []
  for (const target of targets) {
    const before = backend.received.length
    const client = await rawClient(t, port)
    client.send(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(await client.closed())!
    results.push(backend.received.length > before ? backend.received[before]!.url! : status!)
  }
  return results
}

const strip = { rewrite: { stripPrefix: true } }

test('the prefix is kept unless it is to be taken off', async (t) => {
  const targets = ['/api', '/api/', '/api/x?y=/api/z', '/other']
  assert.deepEqual(await forwardedAs(t, { prefix: '/api' }, targets), ['/api', '/api/', '/api/x?y=/api/z', '404'])
  assert.deepEqual(await forwardedAs(t, { prefix: '/api', ...strip }, targets), ['/', '/', '/x?y=/api/z', '404'])
})

test('what follows the prefix is forwarded byte for byte', async (t) => {
  const expected: Record<string, string> = {
    '/api?a=1&b=%20': '/?a=1&b=%20',
    '/api/?': '/?',
    '/api//x//y': '//x//y',
    '/api/%2Fx%2fy': '/%2Fx%2fy',
    '/api/caf%c3%a9/a+b;c=d,e': '/caf%c3%a9/a+b;c=d,e',
    '/api/x/': '/x/',
    '/api/api/api': '/api/api',
  }
  assert.deepEqual(await forwardedAs(t, { prefix: '/api', ...strip }, Object.keys(expected)), Object.values(expected))
})

test('a prefix that comes in another spelling is taken off all the same', async (t) => {
  assert.deepEqual(await forwardedAs(t, { prefix: '/api', ...strip }, ['/%61pi/x', '/%61%70%69', '/ap%69?q=1']), [
    '/x',
    '/',
    '/?q=1',
  ])
  const server = { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: false } }
  assert.deepEqual(await forwardedAs(t, { prefix: '/api', server, ...strip }, ['/API/Some/Path']), ['/Some/Path'])
})

test('a prefix with parameters is taken off, whatever they are', async (t) => {
  assert.deepEqual(
    await forwardedAs(t, { prefix: '/:tenant', ...strip }, [
      '/acme/x',
      '/a%2Fb/x/y',
      '/other?q',
      '/ü/x'.replace('ü', '%C3%BC'),
    ]),
    ['/x', '/x/y', '/?q', '/x'],
  )
  assert.deepEqual(
    await forwardedAs(t, { prefix: '/v1/:tenant/files', ...strip }, [
      '/v1/acme/files/x',
      '/v1/acme/files',
      '/v1/acme/x',
    ]),
    ['/x', '/', '404'],
  )
})

test('the whole prefix is taken off where scopes stand one in another', async (t) => {
  assert.deepEqual(
    await forwardedAs(t, { scope: '/outer', prefix: '/inner', ...strip }, [
      '/outer/inner/x',
      '/outer/inner',
      '/outer/x',
    ]),
    ['/x', '/', '404'],
  )
  assert.deepEqual(await forwardedAs(t, { scope: '/outer', ...strip }, ['/outer/x', '/outer']), ['/x', '/'])
})

test('a path that climbs out of the prefix is refused', async (t) => {
  const climbing = ['/api/../secret', '/api/%2e%2e/secret', '/api/x/.%2E/y', '/api/./x', '/api/..', '/api/x/%2e']
  for (const options of [{ prefix: '/api' }, { prefix: '/api', ...strip }])
    assert.deepEqual(
      await forwardedAs(t, options, climbing),
      climbing.map(() => '400'),
    )
  // A dot is no sin elsewhere.
  assert.deepEqual(await forwardedAs(t, { prefix: '/api', ...strip }, ['/api/...', '/api/.well-known?a=../b']), [
    '/...',
    '/.well-known?a=../b',
  ])
})
