import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import type { HealthView } from '@fastify-balancer/health-check'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { ask } from './support/ask.ts'
import { asked, startBackend, startBackends } from './support/backend.ts'
import { callUnary, grpcClient, startGrpcBackend } from './support/grpc.ts'
import { startProgram, type Program } from './support/program.ts'

const directory = new URL('../examples/', import.meta.url)

interface Running {
  readonly program: Program
  /** Where the example listens. */
  readonly url: string
}

/** Starts an example in front of these backends, or of its own. */
async function start(
  t: TestContext,
  name: string,
  backends: readonly { readonly url: string }[],
  env = {},
): Promise<Running> {
  const program = startProgram(t, fileURLToPath(new URL(name, directory)), {
    env: { PORT: '0', ...(backends.length > 0 && { BACKENDS: backends.map(({ url }) => url).join() }), ...env },
  })
  const [url] = await program.until(/^http:\S+$/)
  return { program, url }
}

async function askInTurn(urls: readonly string[], headers: Record<string, string> = {}): Promise<string[]> {
  const bodies: string[] = []
  for (const url of urls) bodies.push((await ask(url, { headers })).body)
  return bodies
}

/** What each example must do. It is stopped afterwards, by SIGTERM. */
const examples: Record<string, (t: TestContext, name: string) => Promise<Running>> = {
  async 'basic.ts'(t, name) {
    const running = await start(t, name, await startBackends(t, 'a', 'b', 'c'))
    assert.deepEqual(await askInTurn(Array<string>(6).fill(running.url)), ['a', 'b', 'c', 'a', 'b', 'c'])
    return running
  },

  async 'weighted.ts'(t, name) {
    const running = await start(t, name, await startBackends(t, 'a', 'b', 'c'))
    const twice = await askInTurn(Array<string>(14).fill(running.url))
    assert.equal(twice.join(' '), 'a a b a c a a a a b a c a a')
    return running
  },

  async 'workers.ts'(t, name) {
    const [backend] = await startBackends(t, 'a')
    const running = await start(t, name, [backend!])
    const { program, url } = running
    await program.until(/listening at /)
    const pids = await askInTurn(Array<string>(4).fill(`${url}/pid`))
    assert.equal(new Set(pids).size, 2)
    assert.equal((await ask(url)).body, 'a')
    process.kill(Number(pids[0]), 'SIGKILL')
    await program.until(/worker \d \(pid \d+\) ended: signal SIGKILL; replaced/)
    program.child.kill('SIGUSR2')
    await program.until(/restarted \(SIGUSR2\)/)
    const after = await askInTurn(Array<string>(2).fill(`${url}/pid`))
    assert.ok(after.every((pid) => !pids.includes(pid)))
    return running
  },

  async 'two-balancers.ts'(t, name) {
    const backends = await startBackends(t, 'a', 'b', 'c')
    const running = await start(t, name, backends)
    const { url } = running
    assert.deepEqual(await askInTurn([`${url}/api/users?id=1`, `${url}/api/users`]), ['a', 'b'])
    assert.equal(asked(backends[0]!)[0]!.url, '/users?id=1')
    assert.equal((await ask(`${url}/api/users`, { headers: { host: 'shop.localhost:80' } })).body, 'a')
    assert.equal((await ask(`${url}/users`, { headers: { host: 'shop.localhost:80' } })).body, 'c')
    assert.equal((await ask(`${url}/users`)).status, 404)
    const balancers = JSON.parse((await ask(`${url}/balancers`)).body) as Record<string, { url: string }[]>
    assert.deepEqual(
      Object.entries(balancers).map(([key, all]) => [key, all.map((one) => one.url)]),
      [
        ['api', [backends[0]!.url, backends[1]!.url]],
        ['shop', [backends[2]!.url]],
      ],
    )
    return running
  },

  async 'own-policy.ts'(t, name) {
    const running = await start(t, name, await startBackends(t, 'a', 'b', 'c'))
    const users = Array.from({ length: 60 }, (_, index) => `user ${index}`)
    const askAll = () =>
      Promise.all(users.map(async (user) => (await ask(running.url, { headers: { 'x-user': user } })).body))
    const first = await askAll()
    assert.deepEqual(await askAll(), first)
    assert.ok(new Set(first).size > 1)
    return running
  },

  async 'health-check.ts'(t, name) {
    const sick = await startBackend(t, (request, response) => {
      response.writeHead(request.url === '/health' ? 503 : 200).end('sick')
    })
    const [well] = await startBackends(t, 'well')
    const running = await start(t, name, [sick, well!])
    assert.deepEqual(await askInTurn(Array<string>(4).fill(running.url)), ['well', 'well', 'well', 'well'])
    assert.ok(sick.received.every(({ method, url }) => method === 'GET' && url === '/health'))
    const why = JSON.parse((await ask(`${running.url}/why`)).body) as HealthView[]
    assert.deepEqual(
      why.map(({ id, active, history }) => [id, active?.state, history.map(({ by }) => by)]),
      [
        [sick.url, 'down', ['health-check']],
        [well!.url, 'up', []],
      ],
    )
    assert.match(JSON.stringify(why[0]!.history[0]), /GET http:\/\/127.0.0.1:\d+\/health.*503/)
    return running
  },

  async 'circuit-breaker.ts'(t, name) {
    const broken = await startBackend(t, (request) => request.socket.destroy())
    const [good] = await startBackends(t, 'good')
    const running = await start(t, name, [broken, good!])
    const { url } = running
    assert.deepEqual(await askInTurn(Array<string>(8).fill(url)), Array<string>(8).fill('good'))
    assert.equal(broken.received.length, 3)
    const states = async () =>
      (JSON.parse((await ask(`${url}/circuits`)).body) as { state: string }[]).map(({ state }) => state)
    assert.deepEqual(await states(), ['open', 'closed'])
    const isolation = (id: string) => `${url}/circuits/${encodeURIComponent(id)}/isolation`
    assert.equal((await ask(isolation(good!.url), { method: 'PUT' })).status, 200)
    assert.deepEqual(await states(), ['open', 'isolated'])
    assert.equal((await ask(isolation(good!.url), { method: 'DELETE' })).status, 200)
    assert.deepEqual(await states(), ['open', 'closed'])
    assert.equal((await ask(isolation('nobody'), { method: 'PUT' })).status, 404)
    return running
  },

  async 'mirror.ts'(t, name) {
    const [backend, copies] = await startBackends(t, 'backend', 'mirror')
    const running = await start(t, name, [backend!], { MIRROR: copies!.url, SHARE: '1' })
    assert.deepEqual(await askInTurn([`${running.url}/a`, `${running.url}/b`]), ['backend', 'backend'])
    const views = async () => JSON.parse((await ask(`${running.url}/copies`)).body) as { outcomes: { '2xx': number } }[]
    for (let ended = 0; ended < 2; ended = (await views())[0]!.outcomes['2xx']);
    assert.deepEqual(
      copies!.received.map(({ url, headers }) => [url, headers['x-balancer-mirror']]),
      [
        ['/a', 'shop'],
        ['/b', 'shop'],
      ],
    )
    const alone = await start(t, name, [backend!], { SHARE: '0' })
    assert.equal((await ask(`${alone.url}/a`)).body, 'backend')
    alone.program.child.kill('SIGTERM')
    return running
  },

  async 'metrics.ts'(t, name) {
    const backends = await startBackends(t, 'a', 'b')
    const running = await start(t, name, backends)
    assert.equal((await ask(`${running.url}/anything`)).body, 'a')
    const { status, body } = await ask(`${running.url}/metrics`)
    assert.equal(status, 200)
    const lines = body.split('\n')
    assert.ok(lines.includes('fastify_balancer_requests_total{balancer="default",outcome="ok",status="2xx"} 1'))
    for (const { url } of backends)
      assert.ok(lines.includes(`fastify_balancer_probe_good{balancer="default",backend="${url}"} 1`))
    const open = await ask(`${running.url}/metrics`, { headers: { accept: 'application/openmetrics-text' } })
    assert.ok(open.body.endsWith('# EOF\n'))
    assert.deepEqual(
      backends.flatMap((backend) => asked(backend).map(({ url }) => url)),
      ['/anything'],
    )
    return running
  },

  async 'admin.ts'(t, name) {
    const [a, b] = await startBackends(t, 'a', 'b')
    const running = await start(t, name, [a!, b!], { VIEWER: 'look', OPERATOR: 'work' })
    const backendsUrl = `${running.url}/_balancer/balancers/default/backends`
    const as = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
    assert.equal((await ask(backendsUrl)).status, 401)
    const list = await ask(backendsUrl, { headers: as('look') })
    assert.deepEqual([list.status, list.headers.etag], [200, '"1"'])
    const drain = { method: 'PUT', body: '{"state":"drain"}' }
    const stateUrl = `${backendsUrl}/${encodeURIComponent(a!.url)}/state`
    assert.equal((await ask(stateUrl, { ...drain, headers: as('look') })).status, 401)
    assert.equal((await ask(stateUrl, { ...drain, headers: as('work') })).status, 200)
    assert.deepEqual(await askInTurn(Array<string>(3).fill(running.url)), ['b', 'b', 'b'])
    const added = { method: 'POST', body: '{"url":"http://10.0.0.1:3000"}', headers: as('work') }
    assert.equal((await ask(backendsUrl, added)).status, 400)
    assert.ok([a!, b!].every((backend) => asked(backend).every(({ url }) => url === '/')))
    return running
  },

  async 'sticky-sessions.ts'(t, name) {
    const running = await start(t, name, await startBackends(t, 'a', 'b'))
    const { url } = running
    const first = await ask(url)
    const cookie = /^(backend=[\w-]{43}); Path=\/; HttpOnly; SameSite=Lax$/
    const [, token = ''] = cookie.exec(first.headers['set-cookie']![0]!) ?? []
    assert.deepEqual([first.body, token === ''], ['a', false])
    const known = { cookie: `theme=dark; ${token}` }
    const again = await ask(url, { headers: known })
    assert.deepEqual([again.body, again.headers['set-cookie']], ['a', undefined])
    const order = (state: string) =>
      ask(`${url}/_balancer/balancers/default/backends/b1/state`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ state }),
      })
    assert.equal((await order('drain')).status, 200)
    assert.deepEqual(await askInTurn(Array<string>(3).fill(url)), ['b', 'b', 'b'])
    assert.deepEqual(await askInTurn([url, url], known), ['a', 'a'])
    assert.equal((await order('maintenance')).status, 200)
    const moved = await ask(url, { headers: known })
    assert.equal(moved.body, 'b')
    assert.match(moved.headers['set-cookie']![0]!, cookie)
    return running
  },

  async 'dashboard.ts'(t, name) {
    const [backend] = await startBackends(t, 'a')
    const persist = join(await mkdtemp(join(tmpdir(), 'balancer-')), 'lists.json')
    t.after(() => rm(dirname(persist), { recursive: true }))
    const running = await start(t, name, [backend!], { PERSIST: persist })
    const as = (user: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:open sesame`).toString('base64')}`,
      'content-type': 'application/json',
    })
    const admin = `${running.url}/_balancer`
    const unknown = await ask(`${admin}/dashboard/`)
    assert.deepEqual([unknown.status, unknown.headers['www-authenticate']], [401, 'Basic realm="balancer"'])
    const page = await ask(`${admin}/dashboard/`, { headers: as('viewer') })
    assert.match(page.body, /<title>fastify-balancer<\/title>/)
    assert.equal((await ask(`${admin}/operator`, { headers: as('viewer') })).status, 403)
    assert.equal((await ask(`${admin}/operator`, { headers: as('operator') })).status, 200)
    const stateUrl = `${admin}/balancers/default/backends/${encodeURIComponent(backend!.url)}/state`
    const order = { method: 'PUT', body: '{"state":"drain"}', headers: as('operator') }
    assert.equal((await ask(stateUrl, order)).status, 200)
    assert.match(await readFile(persist, 'utf8'), /"drain"/)
    assert.match((await ask(`${running.url}/metrics`, { headers: as('viewer') })).body, /^fastify_balancer_/m)
    assert.match((await ask(`${admin}/balancers`, { headers: as('viewer') })).body, /"overloaded":false/)
    return running
  },

  async 'rewrite.ts'(t, name) {
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(404, { 'x-powered-by': 'steam' }).end('gone')
    })
    const running = await start(t, name, [backend])
    const { status, headers, body } = await ask(`${running.url}/v1/thing?a=b`, { headers: { cookie: 'secret=1' } })
    const [received] = asked(backend)
    assert.equal(received!.url, '/thing?a=b')
    assert.equal(received!.headers.cookie, undefined)
    assert.match(String(received!.headers['x-request-id']), /^req-/)
    assert.deepEqual([status, body, headers['x-powered-by']], [410, 'gone', undefined])
    assert.equal(headers['x-request-id'], received!.headers['x-request-id'])
    return running
  },

  async 'with-auth.ts'(t, name) {
    const [backend] = await startBackends(t, 'a')
    const running = await start(t, name, [backend!], { TOKEN: 'swordfish' })
    for (const headers of [{}, { authorization: 'Bearer open sesame' }, { authorization: 'swordfish' }]) {
      const refused = await ask(running.url, { method: 'POST', body: 'not for you', headers })
      assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer'])
    }
    assert.equal(asked(backend!).length, 0)
    assert.equal((await ask(running.url, { headers: { authorization: 'Bearer swordfish' } })).body, 'a')
    assert.equal(asked(backend!)[0]!.headers.authorization, undefined)
    return running
  },

  async 'hot-swap.ts'(t, name) {
    const [a, b] = await startBackends(t, 'a', 'b')
    const running = await start(t, name, [a!])
    const { url } = running
    const put = (list: unknown, headers = {}) =>
      ask(`${url}/backends`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(list),
      })
    assert.deepEqual(await askInTurn([url, url]), ['a', 'a'])

    const swapped = await put([{ url: b!.url, id: 'b' }], { 'if-match': '"1"' })
    assert.deepEqual([swapped.status, swapped.headers.etag], [200, '"2"'])
    assert.deepEqual(await askInTurn([url, url]), ['b', 'b'])

    assert.equal((await put([a!.url], { 'if-match': '"1"' })).status, 412)
    const bad = await put(['nonsense', { url: a!.url, wieght: 1 }])
    assert.equal(bad.status, 400)
    assert.match(bad.body, /backends\.0\.url.*backends\.1\.wieght/)
    const now = await ask(`${url}/backends`)
    assert.equal(now.headers.etag, '"2"')
    assert.deepEqual(
      (JSON.parse(now.body) as { id: string; requests: number }[]).map(({ id, requests }) => [id, requests]),
      [['b', 2]],
    )
    return running
  },

  async 'grpc.ts'(t, name) {
    const [a, b, sick] = await Promise.all([
      startGrpcBackend(t, { name: 'a', serving: 'SERVING' }),
      startGrpcBackend(t, { name: 'b', serving: 'SERVING' }),
      startGrpcBackend(t, { name: 'sick', serving: 'NOT_SERVING' }),
    ])
    const running = await start(t, name, [a, b, sick])
    const client = grpcClient(t, Number(new URL(running.url).port))
    const served: unknown[] = []
    for (let call = 0; call < 4; call++) served.push((await callUnary(client, '')).trailers.get('served-by')[0])
    assert.deepEqual(served, ['a', 'b', 'a', 'b'])
    client.close()
    return running
  },

  async 'streaming-sse.ts'(t, name) {
    // The second event would be an hour away.
    const running = await start(t, name, [], { EVERY: '3600000' })
    const response = await new Promise<IncomingMessage>((resolve) => get(running.url, { agent: false }, resolve))
    assert.equal(response.headers['content-type'], 'text/event-stream')
    for await (const chunk of response) {
      assert.match(String(chunk), /^data: [\d:.TZ-]+\n\n$/)
      break
    }
    // Leaving the loop has closed the connection.
    await running.program.until(/^a listener has left$/)
    return running
  },

  async 'tracing.ts'(t, name) {
    const [a] = await startBackends(t, 'a')
    const running = await start(t, name, [a!])
    assert.equal((await ask(running.url)).body, 'a')
    const [line] = await running.program.until(/^\{.*\}$/)
    const span = JSON.parse(line) as Record<string, unknown>
    assert.deepEqual([span.number, span.backend, span.outcome, span.status], [1, a!.url, 'ok', 200])
    assert.match(String(span.trace), /^[\da-f]{32}$/)
    assert.equal(asked(a!)[0]!.headers.traceparent, `00-${String(span.trace)}-${String(span.span)}-01`)
    return running
  },

  async 'websocket.ts'(t, name) {
    const running = await start(t, name, [])
    const open = async (path: string) => {
      const socket = new WebSocket(running.url.replace('http', 'ws') + path)
      t.after(() => socket.close())
      const answered = new Promise<string>((resolve) => {
        socket.addEventListener('message', ({ data }) => resolve(String(data)))
        socket.addEventListener('error', () => resolve('refused'))
      })
      socket.addEventListener('open', () => socket.send('hello'))
      return answered
    }
    assert.equal(await open('/chat?token=wrong'), 'refused')
    assert.equal(await open('/chat?token=open+sesame'), 'a: hello')
    assert.equal(await open('/chat?token=open+sesame'), 'b: hello')
    const tunnels = JSON.parse((await ask(`${running.url}/tunnels`)).body) as Record<string, unknown>[]
    assert.deepEqual(
      tunnels.map(({ id, protocol, path, bytesReceived }) => [id, protocol, path, bytesReceived]),
      // A frame of 2 bytes and the text.
      [
        ['1', 'websocket', '/chat', 10],
        ['2', 'websocket', '/chat', 10],
      ],
    )
    return running
  },
}

for (const [name, run] of Object.entries(examples)) {
  test(`examples/${name}`, { timeout: 100_000 }, async (t) => {
    const { program } = await run(t, name)
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.deepEqual(program.stderr, [])
  })
}

test('every example has a test', () => {
  const files = readdirSync(directory).filter((file) => file.endsWith('.ts'))
  assert.deepEqual(files.sort(), Object.keys(examples).sort())
})

test('without BACKENDS an example has backends of its own', { timeout: 100_000 }, async (t) => {
  const { url } = await start(t, 'basic.ts', [])
  const paths = ['/1', '/2', '/3']
  assert.deepEqual(await askInTurn(paths.map((path) => url + path)), ['a: GET /1\n', 'b: GET /2\n', 'c: GET /3\n'])
})
