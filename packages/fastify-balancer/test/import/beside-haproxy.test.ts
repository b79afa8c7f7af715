import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ask, type Question } from '../../../../test/support/ask.ts'
import { asked, startBackend, startBackends, unusedOrigin, type TestBackend } from '../../../../test/support/backend.ts'
import { missing, run } from '../../../../test/support/other-server.ts'
import { fromHaproxy, refusal, serve, type Imported } from './stage.ts'

const skip = missing('haproxy')

const defaults = `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option redispatch
  balance roundrobin
`

/** The same file in HAProxy and here: both origins. */
async function beside(
  t: TestContext,
  text: (port: number) => string,
): Promise<Imported & { haproxy: string; ours: string }> {
  const port = Number(new URL(await unusedOrigin()).port)
  const result = fromHaproxy(t, `${defaults}${text(port)}\n`)
  assert.equal(refusal(['haproxy', '-c', '-f', result.file]), undefined)
  return {
    ...result,
    haproxy: await run(t, ['haproxy', '-db', '-f', result.file], port),
    ours: await serve(t, result.written),
  }
}

/** What the client and the backends see of one request. */
async function seen(origin: string, path: string, backends: readonly TestBackend[], question: Question = {}) {
  const before = backends.map((backend) => asked(backend).length)
  const { status, body } = await ask(origin + path, { headers: { host: 'www.example' }, ...question })
  const requests = backends.flatMap((backend, index) =>
    asked(backend)
      .slice(before[index])
      .map(({ method, url, headers }) => ({ method, url, host: headers.host, for: headers['x-forwarded-for'] })),
  )
  return { status, body: status < 400 ? body : '', requests }
}

const authorities = (backends: readonly TestBackend[]) => backends.map(({ url }) => new URL(url).host)

test('hosts and the beginning of paths choose the backend, the first rule first', { skip }, async (t) => {
  const backends = await startBackends(t, 'app', 'api', 'shop', 'both')
  const [app, api, shop, both] = authorities(backends)
  const { haproxy, ours, isComplete, report } = await beside(
    t,
    (port) => `
frontend web
  bind 127.0.0.1:${port}
  acl is_api path_beg /api/
  acl is_shop hdr(host) -i shop.example
  acl is_shop hdr(host) -i pay.example
  use_backend both if { path_beg /both/ } is_shop
  use_backend shop if is_shop
  use_backend api if is_api || { hdr(host) api.example }
  use_backend shop if { path_beg /api/late/ }
  default_backend app
backend app
  server a ${app}
backend api
  option forwardfor
  server a ${api}
backend shop
  server a ${shop}
backend both
  server a ${both}`,
  )
  assert.ok(isComplete, report.join('\n'))
  for (const host of ['www.example', 'shop.example', 'pay.example', 'api.example'])
    for (const path of ['/', '/x?a=b', '/api/x', '/api/late/x', '/both/x', '/apis'])
      assert.deepEqual(
        await seen(ours, path, backends, { headers: { host } }),
        await seen(haproxy, path, backends, { headers: { host } }),
        `${host}${path}`,
      )
})

test('weights and backups: the same shares', { skip }, async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c', 'd')
  const [a, b, c, d] = authorities(backends)
  const { haproxy, ours } = await beside(
    t,
    (port) => `
listen web
  bind 127.0.0.1:${port}
  server a ${a} weight 3
  server b ${b}
  server c ${c} disabled
  server d ${d} backup`,
  )
  for (const origin of [haproxy, ours]) {
    const counts = new Map<string, number>()
    for (let count = 0; count < 8; count++) {
      const { body } = await ask(origin)
      counts.set(body, (counts.get(body) ?? 0) + 1)
    }
    assert.deepEqual([counts.get('a'), counts.get('b'), counts.size], [6, 2, 2], origin)
  }
})

test('a server that fails its check gets no requests; the check is the same request', { skip }, async (t) => {
  const good = await startBackend(t, (_request, response) => response.end('good'))
  const sick = await startBackend(t, (request, response) => {
    response.writeHead(request.url === '/health' ? 500 : 200).end('sick')
  })
  const { haproxy, ours } = await beside(
    t,
    (port) => `
listen web
  bind 127.0.0.1:${port}
  option httpchk GET /health
  timeout check 30s
  http-check send hdr Host check.example
  http-check expect status 200
  server sick ${new URL(sick.url).host} check inter 1s fall 1 rise 1
  server good ${new URL(good.url).host} check inter 1s fall 1 rise 1`,
  )
  // HAProxy uses servers before their first check has ended.
  while ((await ask(haproxy)).body !== 'good' || (await ask(haproxy)).body !== 'good');
  for (const origin of [haproxy, ours])
    for (let count = 0; count < 4; count++) assert.equal((await ask(origin)).body, 'good', origin)
  const checks = sick.received.filter(({ url }) => url === '/health')
  assert.ok(checks.every(({ method, headers }) => method === 'GET' && headers.host === 'check.example'))
  assert.ok(checks.some(({ headers }) => headers['user-agent'] !== undefined || headers.connection === 'close'))
})

test('what HAProxy refuses does not reach a backend here either', { skip }, async (t) => {
  const backends = await startBackends(t, 'a')
  const [a] = authorities(backends)
  const { haproxy, ours, isComplete } = await beside(
    t,
    (port) => `
frontend web
  bind 127.0.0.1:${port}
  http-request deny if { path_beg /admin/ } !{ src 192.0.2.0/24 }
  http-request deny if { hdr(host) -i closed.example }
  default_backend app
backend app
  server a ${a}`,
  )
  assert.equal(isComplete, false)
  for (const [host, path] of [
    ['www.example', '/admin/x'],
    ['closed.example', '/'],
  ] as const)
    for (const origin of [haproxy, ours])
      assert.deepEqual((await seen(origin, path, backends, { headers: { host } })).requests, [], `${origin} ${host}`)
  assert.equal((await seen(ours, '/x', backends)).requests.length, 1)
})
