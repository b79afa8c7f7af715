import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

/** A backend that answers nobody until it is told to, but for `/quick`. */
async function startHolding(t: TestContext) {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url!.endsWith('/quick')) response.end('quick')
    else held.push(response)
  })
  return { ...backend, held }
}

test('more requests than may be under way in the process, over all balancers, get 503 at once, and no backend hears of them', async (t) => {
  const backend = await startHolding(t)
  const lines = new LogLines()
  const app = Fastify({ logger: lines })
  const options = { backends: [backend.url], failureHeader: true, maxExchanges: 5 }
  await app.register(balancer, { ...options, name: 'one', prefix: '/one' })
  await app.register(balancer, { ...options, name: 'other', prefix: '/other' })
  const { url } = await listenApp(t, app)
  const answers = ['one', 'one', 'one', 'other', 'other'].map((name) => ask(`${url}/${name}/held`))
  await until('all have arrived', () => backend.held.length === 5)
  const before = backend.received.length
  for (const name of ['one', 'other', 'one']) {
    const { status, headers, body } = await ask(`${url}/${name}/quick`, { method: 'POST', body: 'small' })
    assert.deepEqual([status, headers['x-balancer-failure'], headers['retry-after']], [503, 'overloaded', '1'])
    assert.equal((JSON.parse(body) as { code: string }).code, 'FST_BALANCER_OVERLOADED')
  }
  assert.equal(backend.received.length, before)
  assert.deepEqual(
    lines.exchanges.map(({ outcome, attempts }) => [outcome, attempts.length]),
    Array.from({ length: 3 }, () => ['overloaded', 0]),
  )

  // Who has been answered, or has left, makes room.
  backend.held[0]!.end('done')
  assert.equal((await answers[0]!).body, 'done')
  await until('it has ended', () => lines.exchanges.length === 4)
  assert.equal((await ask(`${url}/other/quick`)).status, 200)
  const leaving = request(`${url}/one/held`, { agent: false }).on('error', () => {})
  leaving.end()
  await until('it has arrived', () => backend.held.length === 6)
  assert.equal((await ask(`${url}/other/quick`)).status, 503)
  leaving.destroy()
  await until('it has ended', () => lines.exchanges.some(({ outcome }) => outcome === 'client-gone'))
  assert.equal((await ask(`${url}/other/quick`)).status, 200)

  for (const response of backend.held) response.end()
  await Promise.all(answers)
  assert.deepEqual(
    lines.all.flatMap(({ msg }) => (msg?.startsWith('limit: ') === true ? [msg] : [])),
    Array.from({ length: 2 }, () => 'limit: 5 requests at once in this process (maxExchanges)'),
  )
})

for (const [limit, ceiling] of [
  [100, 40],
  [512, 204],
] as const)
  test(`where no option says, it is two fifths of the file descriptors: of ${limit}, ${ceiling}`, async (t) => {
    if (process.platform === 'win32') return t.skip('there is no such limit')
    const program = new URL('limited-process.ts', import.meta.url).pathname
    const child = spawn('sh', ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(async () => {
      child.kill('SIGKILL')
      await once(child, 'close')
    })
    const said: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
    await until('it has said so', () => said.some((line) => line.includes(`${ceiling} requests at once`)))
    return undefined
  })
