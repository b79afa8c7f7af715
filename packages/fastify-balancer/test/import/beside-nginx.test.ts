import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ask, type Question } from '../../../../test/support/ask.ts'
import { asked, startBackends, unusedOrigin, type TestBackend } from '../../../../test/support/backend.ts'
import { missing, run } from '../../../../test/support/other-server.ts'
import { fromNginx, refusal, serve, type Imported } from './stage.ts'

const skip = missing('nginx')

/** The same file in nginx and here: both origins. */
async function beside(
  t: TestContext,
  text: (port: number) => string,
): Promise<Imported & { nginx: string; ours: string }> {
  const port = Number(new URL(await unusedOrigin()).port)
  const conf = `worker_processes 1;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n  access_log off;\n${text(port)}\n}\n`
  const result = fromNginx(t, conf)
  const prefix = `${dirname(result.file)}/`
  assert.equal(refusal(['nginx', '-t', '-e', 'stderr', '-p', prefix, '-c', result.file]), undefined)
  const command = ['nginx', '-e', 'stderr', '-p', prefix, '-c', result.file, '-g', 'daemon off;']
  return { ...result, nginx: await run(t, command, port), ours: await serve(t, result.written) }
}

/** What the client and the backends see of one request. */
async function seen(origin: string, path: string, backends: readonly TestBackend[], question: Question = {}) {
  const before = backends.map((backend) => asked(backend).length)
  const { status, body } = await ask(origin + path, { headers: { host: 'www.example' }, ...question })
  const requests = backends.flatMap((backend, index) =>
    asked(backend)
      .slice(before[index])
      .map(({ method, url, headers }) => ({
        method,
        url,
        host: headers.host?.toLowerCase(),
        for: headers['x-forwarded-for'],
        proto: headers['x-forwarded-proto'],
      })),
  )
  return { status, body: status < 400 ? body : '', requests }
}

const authorities = (backends: readonly TestBackend[]) => backends.map(({ url }) => new URL(url).host)

test('locations, with and without a path to replace, and the default Host', { skip }, async (t) => {
  const backends = await startBackends(t, 'a', 'b')
  const [a, b] = authorities(backends)
  const { nginx, ours, isComplete, report } = await beside(
    t,
    (port) => `
  upstream backend { server ${a}; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://backend; }
    location /api/ { proxy_pass http://${b}/; }
    location /kept/ { proxy_pass http://${b}; }
    location /same/ { proxy_pass http://${b}/same/; proxy_set_header Host $http_host; }
    location /named/ { proxy_pass http://${b}; proxy_set_header Host named.example; }
  }`,
  )
  assert.ok(isComplete, report.join('\n'))
  for (const path of ['/', '/x?a=%20b', '/api/', '/api/users?id=1', '/apis', '/kept/x', '/same/x', '/named/%41', '//x'])
    assert.deepEqual(await seen(ours, path, backends), await seen(nginx, path, backends), path)
  const post = { method: 'POST', body: 'text' }
  assert.deepEqual(await seen(ours, '/api/x', backends, post), await seen(nginx, '/api/x', backends, post))
})

test('weights, turns and servers that are down: the same order of backends', { skip }, async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c', 'd')
  const [a, b, c, d] = authorities(backends)
  const { nginx, ours } = await beside(
    t,
    (port) => `
  upstream web {
    server ${a} weight=3;
    server ${b};
    server ${c} down;
    server ${d} backup;
  }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; } }`,
  )
  const bodies = async (origin: string) => {
    const all = []
    for (let count = 0; count < 12; count++) all.push((await ask(origin)).body)
    return all
  }
  assert.deepEqual(await bodies(ours), await bodies(nginx))
})

test('keys go to the servers to which nginx sends them, by weight, also when one is down', { skip }, async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c', 'd')
  const [a, b, c, d] = authorities(backends)
  const { nginx, ours, isComplete, report } = await beside(
    t,
    (port) => `
  upstream web {
    hash $arg_user consistent;
    server ${a} weight=3;
    server ${b};
    server ${c} down;
    server ${d};
  }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; } }`,
  )
  assert.ok(isComplete, report.join('\n'))
  const bodies = (origin: string) =>
    Promise.all(Array.from({ length: 60 }, async (_, user) => (await ask(`${origin}/?user=${user}`)).body))
  assert.deepEqual(await bodies(ours), await bodies(nginx))
  assert.equal(new Set(await bodies(ours)).size, 3)
})

test(
  'a server that breaks connections: GET goes to the next one, POST does not; then it is out',
  { skip },
  async (t) => {
    const [good] = await startBackends(t, 'good')
    const [broken] = await startBackends(t, 'broken')
    broken!.server.removeAllListeners('request')
    let hits = 0
    broken!.server.on('request', (request) => {
      hits++
      request.socket.destroy()
    })
    const { nginx, ours } = await beside(
      t,
      (port) => `
  upstream web { server ${new URL(broken!.url).host}; server ${new URL(good!.url).host}; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; } }`,
    )
    for (const origin of [ours, nginx]) {
      hits = 0
      assert.equal((await ask(origin, { method: 'POST', body: 'x' })).status, 502, origin)
      for (let count = 0; count < 4; count++) assert.equal((await ask(origin)).body, 'good', origin)
      assert.equal(hits, 1, origin)
    }
  },
)

test('server_name: each host has its server, any other the default one', { skip }, async (t) => {
  const backends = await startBackends(t, 'a', 'b')
  const [a, b] = authorities(backends)
  const { nginx, ours, isComplete, report } = await beside(
    t,
    (port) => `
  server { listen 127.0.0.1:${port}; server_name www.example; location / { proxy_pass http://${a}; } }
  server { listen 127.0.0.1:${port}; server_name shop.example pay.example; location / { proxy_pass http://${b}; } }`,
  )
  assert.ok(isComplete, report.join('\n'))
  const { port } = new URL(nginx)
  for (const host of ['www.example', 'shop.example', 'pay.example', 'other.example']) {
    const question = { headers: { host: `${host}:${port}` } }
    assert.deepEqual(await seen(ours, '/', backends, question), await seen(nginx, '/', backends, question), host)
  }
})

test('what nginx keeps from a backend does not reach it here either', { skip }, async (t) => {
  const backends = await startBackends(t, 'a')
  const [a] = authorities(backends)
  const { nginx, ours, isComplete } = await beside(
    t,
    (port) => `
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://${a}; }
    location /denied/ { deny all; proxy_pass http://${a}; }
    location /gone/ { return 410; }
    location /static/ { root .; }
    location /inner/ { internal; proxy_pass http://${a}; }
  }`,
  )
  assert.equal(isComplete, false)
  for (const path of ['/denied/x', '/gone/x', '/static/x', '/inner/x'])
    for (const origin of [nginx, ours])
      assert.deepEqual((await seen(origin, path, backends)).requests, [], `${origin}${path}`)
  assert.equal((await seen(ours, '/x', backends)).requests.length, 1)
})

test('x-forwarded-for and -proto are sent where nginx sends them', { skip }, async (t) => {
  const backends = await startBackends(t, 'a')
  const [a] = authorities(backends)
  const { nginx, ours } = await beside(
    t,
    (port) => `
  server {
    listen 127.0.0.1:${port};
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    location / { proxy_pass http://${a}; }
    location /none/ { proxy_pass http://${a}; proxy_set_header Host $host; }
  }`,
  )
  for (const path of ['/', '/none/'])
    assert.deepEqual(await seen(ours, path, backends), await seen(nginx, path, backends), path)
})
