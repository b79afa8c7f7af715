import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { asked, listen } from '../../../test/support/backend.ts'
import { rawClient } from '../../../test/support/raw.ts'
import dashboard from '../src/index.ts'
import { stage } from './stage.ts'

const page = '/_balancer/dashboard'
const index = readFileSync(join(import.meta.dirname, '..', 'dist', 'page', 'index.html'), 'utf8')
const script = /assets\/[\w.-]+\.js/.exec(index)![0]

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

test('every answer has the headers that keep others out', async (t) => {
  const { origin } = await stage(t)
  for (const path of ['', '/', `/${script}`, '/settings.json', '/nothing']) {
    const { headers } = await fetch(`${origin}${page}${path}`, { redirect: 'manual' })
    assert.equal(headers.get('content-security-policy'), policy, path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  }
})

test('only files whose name changes with their content are kept without asking', async (t) => {
  const { origin } = await stage(t)
  const cache = async (path: string) => (await fetch(`${origin}${page}${path}`)).headers.get('cache-control')
  assert.equal(await cache(`/${script}`), 'private, max-age=31536000, immutable')
  for (const path of ['/', '/index.html', '/settings.json', '/nothing', '/assets/nothing.js'])
    assert.equal(await cache(path), 'no-cache', path)
})

test('the page names nothing but its own files, and runs nothing that its policy forbids', async (t) => {
  const { origin } = await stage(t)
  const answer = await fetch(`${origin}${page}/`)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  const text = await answer.text()
  const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link!)
  assert.ok(links.length >= 3)
  for (const link of links) {
    assert.match(link, /^\.\/assets\//)
    assert.equal((await fetch(new URL(link, answer.url))).status, 200, link)
  }
  assert.doesNotMatch(text, /<style|style=|<script(?![^>]*src=)|\son\w+=/)
})

test('without the slash it leads to the page, by a way that holds behind another prefix too', async (t) => {
  const { port } = await stage(t)
  const front = createServer((request, response) => {
    const inner = send({ port, host: '127.0.0.1', path: request.url!.replace(/^\/ops/, ''), headers: request.headers })
    inner.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    inner.end()
  })
  const origin = await listen(front)
  t.after(() => front.close())
  const answer = await fetch(`${origin}/ops${page}`)
  assert.equal(answer.url, `${origin}/ops${page}/`)
  assert.equal(await answer.text(), index)
  const { admin } = (await (await fetch(new URL('settings.json', answer.url))).json()) as { admin: string }
  assert.equal((await fetch(new URL(`${admin}/balancers`, answer.url))).status, 200)
})

test('its settings say where the admin routes are, seen from the page', async (t) => {
  const settings = async (options: { path?: string; admin?: string }) => {
    const { path = page, admin = '/_balancer' } = options
    const { origin } = await stage(t, {
      admin: { insecure: true, prefix: admin },
      dashboard: { insecure: true, ...options },
    })
    const answer = await fetch(`${origin}${path}/settings.json`)
    const body = (await answer.json()) as { admin: string }
    assert.equal((await fetch(new URL(`${body.admin}/balancers`, answer.url))).status, 200)
    return body
  }
  assert.deepEqual(await settings({}), { admin: '..' })
  assert.deepEqual(await settings({ path: '/look' }), { admin: '../_balancer' })
  assert.deepEqual(await settings({ path: '/a/b/c', admin: '/a/x' }), { admin: '../../x' })
  assert.deepEqual(await settings({ path: '/a', admin: '/a/x' }), { admin: 'x' })
})

test('HEAD tells what GET would, and no backend is asked', async (t) => {
  const { origin, backend } = await stage(t, { dashboard: { insecure: true, path: '/look' } })
  for (const path of ['', '/', `/${script}`, '/settings.json', '/nothing']) {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => fetch(`${origin}/look${path}`, { method, redirect: 'manual' })),
    )
    assert.equal(head!.status, get!.status, path)
    // What is not there is said with the name of the method.
    const lengths = path === '/nothing' ? [] : ['content-length']
    for (const name of ['content-type', ...lengths, 'cache-control', 'location', 'etag'])
      assert.equal(head!.headers.get(name), get!.headers.get(name), `${name} of ${path}`)
  }
  assert.deepEqual(backend.received, [])
})

test('what the browser has already is not sent again', async (t) => {
  const { origin } = await stage(t)
  const first = await ask(`${origin}${page}/`)
  const again = await ask(`${origin}${page}/`, { headers: { 'if-none-match': String(first.headers['etag']) } })
  assert.deepEqual([first.status, first.body, again.status, again.body], [200, index, 304, ''])
  assert.equal(again.headers['content-security-policy'], policy)
})

test('what is not there, or not with that method, is answered here and not forwarded', async (t) => {
  const { origin, backend } = await stage(t, { dashboard: { insecure: true, path: '/look' } })
  const cases: [string, string][] = [
    ['GET', '/nothing'],
    ['GET', '/assets/'],
    ['GET', '/assets'],
    ['GET', '/settings.json/x'],
    ['POST', ''],
    ['POST', '/'],
    ['PUT', '/index.html'],
    ['DELETE', '/settings.json'],
    ['OPTIONS', '/'],
    ['PROPFIND', '/'],
  ]
  for (const [method, path] of cases) {
    const answer = await fetch(`${origin}/look${path}`, { method, redirect: 'manual' })
    assert.equal(answer.status, 404, `${method} ${path}`)
    const { code } = (await answer.json()) as { code: string }
    assert.equal(code, 'FST_BALANCER_DASHBOARD_UNKNOWN_PAGE')
  }
  const withBody = await fetch(`${origin}/look/`, { method: 'POST', body: 'a=b', headers: { 'content-type': 'x/y' } })
  assert.equal(withBody.status, 404)
  assert.deepEqual(asked(backend), [])
})

test('nothing outside of its folder is served, however it is asked for', async (t) => {
  const { port, backend } = await stage(t, { dashboard: { insecure: true, path: '/look' } })
  for (const path of [
    '/look/../package.json',
    '/look/../../package.json',
    '/look/%2e%2e/%2e%2e/package.json',
    '/look/..%2f..%2fpackage.json',
    '/look/..%5c..%5cpackage.json',
    '/look/assets/../../../package.json',
    '/look/assets/%2e%2e/index.html',
    '/look//etc/passwd',
    '/look/%2fetc%2fpasswd',
    '/look/index.html%00.js',
    '/look/%252e%252e/package.json',
  ]) {
    const client = await rawClient(t, port)
    client.send(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const answer = await client.closed()
    assert.match(answer, /^HTTP\/1\.1 40[034] /, path)
    assert.doesNotMatch(answer, /fastify-balancer|root:/, path)
  }
  assert.deepEqual(asked(backend), [])
})

test('it stands in a scope with a prefix, and beside static files of the app', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(fastifyStatic, { root: import.meta.dirname, prefix: '/files/' })
  await app.register(
    async (scope) => {
      await scope.register(balancer, { backends: [] })
      await scope.register(adminRoutes, { insecure: true })
      await scope.register(dashboard, { insecure: true })
    },
    { prefix: '/ops' },
  )
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const answer = await fetch(`${origin}/ops${page}`)
  assert.equal(answer.url, `${origin}/ops${page}/`)
  assert.equal(await answer.text(), index)
})

test('where the router ignores the slash at the end, the page is found all the same', async (t) => {
  const { origin } = await stage(t, { app: { routerOptions: { ignoreTrailingSlash: true } } })
  for (const path of [page, `${page}/`]) {
    const answer = await fetch(`${origin}${path}`)
    assert.equal(await answer.text(), index, path)
    assert.ok(answer.url.startsWith(`${origin}${page}/`))
  }
})
