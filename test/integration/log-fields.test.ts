import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen, startBackend, unusedOrigin } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { LogLines, type LogLine } from '../support/log-lines.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, switching } from '../support/upgrade-backend.ts'

const readme = readFileSync(new URL('../../packages/balancer-core/README.md', import.meta.url), 'utf8')

/** The rows of a table of the README, without its head. */
function rowsOf(name: string): string[][] {
  const [, text = ''] = readme.match(new RegExp(`<!-- ${name}:start -->\n(.*?)<!-- ${name}:end -->`, 's')) ?? []
  const rows = text.trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const codeIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

/** What pino and Fastify add to every line. */
const common = new Set(['level', 'time', 'pid', 'hostname', 'reqId', 'msg'])

function namesIn(line: LogLine): string[] {
  const own = Object.keys(line).filter((name) => !common.has(name))
  const attempts = Array.isArray(line['attempts']) ? (line['attempts'] as object[]) : []
  const tunnel = Object.keys(line['tunnel'] ?? {}).map((name) => `tunnel.${name}`)
  return [...own, ...tunnel, ...attempts.flatMap((attempt) => Object.keys(attempt).map((name) => `attempts[].${name}`))]
}

async function start(t: TestContext) {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  const b = await startBackend(t, ({ url }, response) => {
    if (url === '/call') response.setHeader('grpc-status', '5')
    response.end()
  })
  b.server.on('upgrade', (request, socket: Socket) => {
    const key = `sec-websocket-key: ${request.headers['sec-websocket-key']}\r`
    socket.end(`${switching(key)}\r\nbye`)
  })
  const request = ({ in: { url } }: { in: { url?: string } }) => {
    if (url === '/broken') throw new Error('a mistake')
  }
  await app.register(balancer, {
    backends: [
      { id: 'a', url: await unusedOrigin() },
      { id: 'b', url: b.url },
    ],
    healthCheck: { initial: 'up', interval: 600_000 },
    rewrite: { request },
  })
  const { url } = await listenApp(t, app)
  return { app, url, log, b }
}

test('the README documents each field of the lines about requests, and no other', async (t) => {
  const { app, url, log, b } = await start(t)
  const veto = app.balancer.veto(app.balancer.backend('b'), { by: 'test', reason: 'tried last' })
  assert.equal((await ask(`${url}/last-resort`)).status, 200)
  veto.lift()
  app.balancer.veto(app.balancer.backend('a'), { by: 'test', reason: 'nobody there' })
  assert.equal((await ask(`${url}/reused`)).status, 200)
  // As hedging marks it, which needs a hundred responses before.
  app.balancer.addHook('onAttemptStart', (attempt) => {
    if (attempt.exchange.url === '/hedged') attempt.hedge = true
  })
  assert.equal((await ask(`${url}/hedged`)).status, 200)
  assert.equal((await ask(`${url}/x/..;y/z`)).status, 400)
  assert.equal((await ask(`${url}/broken`)).status, 500)
  const client = await rawClient(t, Number(new URL(url).port))
  client.send(handshake('/tunnel'))
  await client.closed()
  const call = { method: 'POST', headers: { 'content-type': 'application/grpc' } }
  assert.equal((await ask(`${url}/call`, call)).headers['grpc-status'], '5')
  const untrusted = createServer(localhost)
  const origin = await listen(untrusted)
  t.after(() => void untrusted.close())
  await app.balancer.setBackends([origin.replace('http:', 'https:')], { force: true })
  assert.equal((await ask(`${url}/untrusted`, call)).headers['grpc-status'], '14')
  await b.stop()
  await until('all are logged', () => log.exchanges.length === 8)
  const { msg, level, outcome, status, tunnel } = log.exchanges.find((line) => line.url === '/tunnel')!
  const { duration, ...rest } = tunnel as Readonly<Record<string, unknown>>
  assert.deepEqual([level, outcome, status, typeof duration], [30, 'ok', 101, 'number'])
  assert.match(msg!, /^tunnel closed by the backend after \d+ ms$/)
  assert.deepEqual(rest, { protocol: 'websocket', bytesSent: 0, bytesReceived: 3, closedBy: 'backend' })
  const documented = rowsOf('log-request').flatMap(([field = '']) => codeIn(field))
  const found = new Set(log.exchanges.flatMap(namesIn))
  assert.deepEqual([...found].sort(), documented.filter((name) => !common.has(name)).sort())
})

test('the README documents the lines about state: their words, levels and fields', async (t) => {
  const { app, log } = await start(t)
  const [a, b] = [app.balancer.backend('a'), app.balancer.backend('b')]
  for (let turn = 0; turn < 3; turn++) await app.healthCheck.probe('a')
  const veto = app.balancer.veto(b, { by: 'test', reason: 'out' })
  assert.equal(app.balancer.set.panicking, true)
  veto.lift()
  assert.equal(app.balancer.set.panicking, false)
  const hold = app.circuitBreaker.isolate('b', { ttl: 60_000 })
  hold.release()
  assert.equal(a.vetoes.length, 1)
  const rows = rowsOf('log-state')
  const fields = rows.map(([, , cell = ''], index) =>
    cell === 'the same' ? undefined : { index, names: codeIn(cell) },
  )
  const kinds = ['panic mode:', 'panic mode ended:', 'backend a unhealthy:', 'circuit of backend ', 'limit: ']
  for (const kind of kinds) {
    const row = rows.findIndex(([line = '']) => line.startsWith(`\`${kind}`))
    assert.ok(row >= 0, `the README has a line ${kind}`)
    const lines = log.all.filter(({ msg }) => msg?.startsWith(kind) === true)
    assert.ok(lines.length > 0, `there is a line ${kind}`)
    const names = fields.slice(0, row + 1).findLast((one) => one !== undefined)!.names
    for (const line of lines)
      for (const name of namesIn(line)) assert.ok(names.includes(name), `${kind} ${name} is documented`)
    const expected = rows[row]![1] === 'warn' ? 40 : 30
    assert.ok(
      lines.some(({ level }) => level === expected),
      `${kind} has level ${expected}`,
    )
  }
})
