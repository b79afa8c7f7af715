import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { ask } from './support/ask.ts'
import { asked, startBackends, type TestBackend } from './support/backend.ts'
import { localhost } from './support/certificates.ts'
import { startProgram, type Program } from './support/program.ts'
import { readAll } from './support/backend.ts'

const sites = new URL('../examples/sites/', import.meta.url)
const command = fileURLToPath(new URL('../packages/fastify-balancer/src/cli.ts', import.meta.url))

interface Running {
  readonly program: Program
  /** Where the site listens. */
  readonly url: string
}

/** Runs a site, with variables for what is not the same on every machine. */
async function start(t: TestContext, name: string, env: Readonly<Record<string, string>>): Promise<Running> {
  const program = startProgram(t, command, {
    args: ['--config', fileURLToPath(new URL(name, sites))],
    env: { PORT: '0', LISTEN: '127.0.0.1', ...env },
  })
  const [, url] = await program.until(/ at (https?:\/\/127\.0\.0\.1:\d+)/)
  return { program, url: url! }
}

/** The addresses of backends as variables of these names. */
function variables(names: readonly string[], backends: readonly TestBackend[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, backends[index]!.url]))
}

/** What each site must do. It is stopped afterwards, by SIGTERM. */
const examples: Record<string, (t: TestContext, name: string) => Promise<Running>> = {
  async 'single-page-app.yaml'(t, name) {
    const backends = await startBackends(t, 'page 1', 'page 2', 'api 1', 'api 2')
    const running = await start(t, name, variables(['PAGE_1', 'PAGE_2', 'API_1', 'API_2'], backends))
    const { url } = running
    const bodies = []
    for (const path of ['/', '/app.js', '/api/users?id=1']) bodies.push((await ask(url + path)).body)
    assert.deepEqual(bodies, ['page 1', 'page 2', 'api 1'])
    assert.equal(asked(backends[2]!)[0]!.url, '/users?id=1')
    assert.ok(backends[2]!.received.some((one) => one.method === 'HEAD' && one.url === '/health'))
    return running
  },

  async 'several-hosts.yaml'(t, name) {
    const backends = await startBackends(t, 'shop 1', 'shop 2', 'blog', 'other')
    const running = await start(t, name, variables(['SHOP_1', 'SHOP_2', 'BLOG', 'OTHER'], backends))
    const bodies = []
    for (const host of ['shop.example.com', 'blog.example.com', 'www.example.com'])
      bodies.push((await ask(running.url, { headers: { host } })).body.replace(/ \d$/, ''))
    assert.deepEqual(bodies, ['shop', 'blog', 'other'])
    assert.equal(asked(backends[2]!)[0]!.headers.host, new URL(backends[2]!.url).host)
    assert.equal(asked(backends[3]!)[0]!.headers.host, 'www.example.com')
    return running
  },

  async 'tls.yaml'(t, name) {
    const folder = mkdtempSync(join(tmpdir(), 'site-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const [CERT, KEY] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    writeFileSync(CERT, localhost.cert)
    writeFileSync(KEY, localhost.key)
    const backends = await startBackends(t, 'a', 'b')
    const running = await start(t, name, { ...variables(['BACKEND_1', 'BACKEND_2'], backends), CERT, KEY })
    const answer = await new Promise<string>((resolve, reject) => {
      const options = { ca: localhost.cert, servername: 'localhost', agent: false as const }
      const outgoing = request(running.url, options, (response) => resolve(readAll(response)))
      outgoing.on('error', reject).end()
    })
    assert.equal(answer, 'a')
    const session = connect(running.url, { ca: localhost.cert, servername: 'localhost' })
    t.after(() => session.destroy())
    assert.equal(await readAll(session.request({ ':path': '/' })), 'b')
    session.destroy()
    const [received] = asked(backends[0]!)
    assert.equal(received!.headers['x-forwarded-proto'], 'https')
    assert.notEqual(received!.headers['x-request-id'], undefined)
    return running
  },
}

for (const [name, run] of Object.entries(examples)) {
  test(`examples/sites/${name}`, { timeout: 100_000 }, async (t) => {
    const { program } = await run(t, name)
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.deepEqual(program.stderr, [])
  })
}

test('every site has a test, and a first line that names the schema, relative to it', () => {
  const files = readdirSync(sites)
  assert.deepEqual(files.sort(), Object.keys(examples).sort())
  for (const file of files) {
    const [, schema] =
      /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(new URL(file, sites), 'utf8')) ?? []
    const { title } = JSON.parse(readFileSync(new URL(schema!, sites), 'utf8')) as { title: string }
    assert.equal(title, 'Configuration of fastify-balancer')
  }
})
