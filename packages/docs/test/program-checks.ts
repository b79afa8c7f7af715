import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { exec, spawnSync } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { ask } from '../../../test/support/ask.ts'
import { asked, type TestBackend } from '../../../test/support/backend.ts'
import { blocksIn, type Block } from '../../../test/support/documented-programs.ts'
import type { LogLines } from '../../../test/support/log-lines.ts'
import { until } from '../../../test/support/until.ts'
import { written } from './pages.ts'

/** A program of a page, in this process. */
export interface Running {
  readonly url: string
  readonly app: FastifyInstance
  readonly log: LogLines
  /** Those that pages call 127.0.0.1:3001, 3002 and 3003; they answer with `one`, `two`, `three`. */
  readonly backends: readonly TestBackend[]
}

async function bodies(url: string, count: number): Promise<string[]> {
  const answers: string[] = []
  for (let turn = 0; turn < count; turn++) answers.push((await ask(url)).body)
  return answers
}

/** The line that a program has logged. */
async function logged({ log }: Running, msg: string): Promise<Record<string, unknown>> {
  await until(`'${msg}' is logged`, () => log.all.some((line) => line.msg === msg), 20_000)
  return log.all.find((line) => line.msg === msg)!
}

/** The blocks of code of each page, by its name. */
export const blocks = new Map(written.map(({ file, text }) => [basename(file, '.md'), blocksIn(text)]))
/** The block of a page below that heading. */
export const titled = (page: string, title: string, language = 'ts'): Block =>
  blocks.get(page)!.find((block) => block.title === title && block.language === language) ??
  assert.fail(`${page} ${title}`)

/** Runs the commands that operate a balancer: all at once, since the stream of events does not end. */
async function curlAsOperator(host: string): Promise<void> {
  const { code } = titled('operate', 'Operate it', 'sh')
  const commands = code.replaceAll('\\\n', '').replaceAll('localhost:8080', host).trim().split('\n')
  const answers = commands.map(async (command) => {
    const limit = command.includes('/events') ? 2 : 5
    const { stdout } = await promisify(exec)(`${command} -sS --max-time ${limit}`).catch(
      (error: { stdout: string }) => error,
    )
    return stdout
  })
  const [list, drained, idle, events] = await Promise.all(answers)
  assert.match(list!, /^\{"revision":1,"backends":\[\{"id":"three"/)
  assert.match(drained!, /"state":"drain"/)
  assert.match(idle!, /"idle":true/)
  assert.match(events!, /^retry: 3000$/m)
}

/** What a block must do, by its page and heading. All others must run, and forward what is asked for below their prefix. */
export const checks: Record<string, (running: Running) => Promise<unknown>> = {
  async 'tutorial: Ten lines of TypeScript'({ url, log }) {
    assert.deepEqual(await bodies(url, 4), ['one', 'two', 'one', 'two'])
    await until('all are logged', () => log.exchanges.length === 4)
  },

  async 'extend: Hooks'(running) {
    const { url, backends } = running
    assert.deepEqual(await bodies(url, 2), ['one', 'two'])
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url, { method: 'POST' })).body, 'one')
    await Promise.all(backends.map((backend) => backend.stop()))
    assert.equal((await ask(url)).status, 502)
    for (const backend of backends.slice(0, 2)) await logged(running, `${backend.url}: connect-refused`)
  },

  async 'extend: Vetoes'({ url }) {
    assert.deepEqual(await bodies(url, 3), ['two', 'two', 'two'])
    assert.equal((await ask(`${url}/disk-is-fine`, { method: 'POST' })).status, 204)
    assert.deepEqual((await bodies(url, 2)).sort(), ['one', 'two'])
  },

  async 'extend: The set'(running) {
    const { idle, revision } = await logged(running, 'swapped')
    assert.deepEqual([idle, revision], [true, 2])
    assert.deepEqual(await bodies(running.url, 3), ['two', 'two', 'two'])
  },

  async 'extend: Options'(running) {
    const { faults, changes } = await logged(running, 'what would change')
    assert.deepEqual([faults, (changes as unknown[]).length > 0], [[], true])
    assert.deepEqual(await bodies(running.url, 2), ['two', 'two'])
  },

  async 'extend: Explain'(running) {
    const { picked, vetoes } = await logged(running, 'explained')
    assert.deepEqual([picked, vetoes], [running.backends[0]!.url, []])
    assert.ok(running.backends.every((backend) => asked(backend).length === 0))
  },

  async 'extend: Forward'({ url, backends }) {
    const post = (headers: Record<string, string>) =>
      ask(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"a":1}',
      })
    assert.equal((await post({})).status, 400)
    assert.equal(asked(backends[0]!).length, 0)
    assert.equal((await post({ 'idempotency-key': 'k' })).body, 'one')
  },

  async 'extend: Rewrite'({ url, backends }) {
    const { headers, body } = await ask(`${url}/api/users?id=1`)
    const [received] = asked(backends[2]!)
    assert.deepEqual([body, headers['x-powered-by']], ['three', undefined])
    assert.equal(received!.url, '/users?id=1')
    assert.equal(received!.headers['x-tenant'], '127.0.0.1')
    assert.deepEqual(await bodies(url, 1), ['one'])
  },

  async 'extend: Channels'(running) {
    await ask(running.url)
    const { took, tried } = await logged(running, 'ok')
    assert.deepEqual([typeof took, tried], ['number', [running.backends[0]!.url]])
  },

  async 'overload: When there is too much to do'({ url }) {
    assert.deepEqual((await bodies(`${url}/api/reports`, 2)).toSorted(), ['one', 'two'])
  },

  async 'operate: Operate it'({ url }) {
    const admin = `${url}/_balancer/balancers/shop/backends`
    const headers = { 'x-admin-key': 'open sesame', 'content-type': 'application/json' }
    assert.equal((await ask(admin)).status, 401)
    assert.equal((await ask(`${url}/shop/x`)).body, 'three')
    if (spawnSync('curl', ['--version']).error === undefined) await curlAsOperator(new URL(url).host)
    else await ask(`${admin}/three/state`, { method: 'PUT', headers, body: '{"state":"drain"}' })
    assert.equal((await ask(`${url}/shop/x`, { headers })).status, 503)
    assert.match((await ask(`${url}/metrics`)).body, /^fastify_balancer_requests_total\{balancer="shop",.*"2xx"\} 1$/m)
  },

  async 'policies: See what it does'({ log, backends }) {
    const told = log.all.filter((line) => 'isPicked' in line)
    assert.deepEqual(
      told.map(({ id, isPicked }) => [id, isPicked]),
      [
        [backends[0]!.url, true],
        [backends[1]!.url, false],
      ],
    )
  },

  async 'write-your-own: A policy'({ url }) {
    assert.deepEqual(await bodies(url, 3), ['one', 'two', 'one'])
    for (let turn = 0; turn < 2; turn++) assert.equal((await ask(url, { method: 'POST' })).body, 'one')
  },

  async 'write-your-own: A hook'({ url }) {
    const post = async () => (await ask(url, { method: 'POST' })).body
    // The second one says of itself that it is read-only.
    assert.deepEqual(await bodies(url, 2), ['one', 'two'])
    assert.deepEqual([await post(), await post(), await post()], ['one', 'one', 'one'])
    assert.deepEqual((await bodies(url, 2)).toSorted(), ['one', 'two'])
  },

  async 'migrate: Migrate from'({ url, backends }) {
    assert.equal((await ask(`${url}/api/users`)).body, 'one')
    const [received] = asked(backends[0]!)
    assert.deepEqual([received!.url, received!.headers.host], ['/users', new URL(backends[0]!.url).host])
    assert.equal((await ask(`${url}/report`)).status, 200)
  },

  async 'migrate: Location'({ url }) {
    assert.equal((await ask(`${url}/shop/go`)).headers.location, '/shop/there')
  },

  async 'migrate: Choose the server by the request'({ url }) {
    assert.equal((await ask(`${url}/v/1`)).body, 'one')
    assert.equal((await ask(`${url}/v/1`, { headers: { 'x-version': 'next' } })).body, 'two')
  },

  async 'migrate: Answer instead of the server'({ url, backends }) {
    assert.deepEqual(JSON.parse((await ask(`${url}/go`)).body), { reports: [] })
    await Promise.all(backends.map((backend) => backend.stop()))
    assert.equal((await ask(`${url}/go`)).status, 503)
  },

  async 'migrate: Read or change the body first'({ url }) {
    const order = async (total: number) =>
      ask(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"total":${total}}`,
      })
    assert.equal((await order(2000)).status, 422)
    assert.equal((await order(20)).body, 'one')
  },
}
