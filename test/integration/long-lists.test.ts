import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { LogLines } from '../support/log-lines.ts'

const list = '/_balancer/balancers/default/backends'

function backends(count: number, weight = 1) {
  return Array.from({ length: count }, (_, index) => ({ id: `b${index}`, url: 'http://127.0.0.1:9', weight }))
}

async function start(t: TestContext) {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  // Nobody is asked: probes of thousands would be what is measured.
  await app.register(balancer, {
    backends: [],
    healthCheck: { type: 'none' },
    admin: { insecure: true, bodyLimit: 10_000_000 },
    metrics: {},
  })
  const { url } = await listenApp(t, app)
  const call = (method: string, path: string, given?: unknown): Promise<Answer> =>
    ask(url + path, {
      method,
      ...(given !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(given) }),
    })
  return { app, log, call }
}

const works: Readonly<
  Record<string, (call: Awaited<ReturnType<typeof start>>['call'], count: number) => Promise<Answer>>
> = {
  'a dry run': (call, count) => call('PUT', `${list}?dryRun=true`, { backends: backends(count, 3) }),
  'a change of all': (call, count) => call('PUT', list, { backends: backends(count, 2) }),
  'a change of one': (call) => call('PATCH', `${list}/b1`, { weight: 7 }),
  'the list': (call) => call('GET', list),
  'a balancer': (call) => call('GET', '/_balancer/balancers/default'),
  'an explanation': (call) => call('POST', '/_balancer/balancers/default/explain', {}),
  metrics: (call) => call('GET', '/metrics'),
  'a rollback': (call) => call('POST', '/_balancer/balancers/default/rollback', { revision: 2 }),
}

/** What each work costs with so many backends (ms of CPU; the least of some), and how many turns others had meanwhile. */
async function costs(t: TestContext, count: number) {
  const { call } = await start(t)
  assert.equal((await call('PUT', list, { backends: backends(count) })).status, 200)
  const measured = new Map<string, { cpu: number; turns: number }>()
  for (let round = 0; round < 3; round++)
    for (const [name, work] of Object.entries(works)) {
      let turns = 0
      let isOver = false
      const turn = () => {
        turns++
        if (!isOver) setImmediate(turn)
      }
      turn()
      const before = process.cpuUsage()
      const { status } = await work(call, count)
      const { user, system } = process.cpuUsage(before)
      isOver = true
      assert.equal(status, 200, name)
      const known = measured.get(name)
      measured.set(name, {
        cpu: Math.min(known?.cpu ?? Infinity, (user + system) / 1000),
        turns: Math.max(known?.turns ?? 0, turns),
      })
    }
  return measured
}

test('what four times as many backends cost is not much more than four times as much, and others have their turn', async (t) => {
  await costs(t, 500)
  const few = await costs(t, 1500)
  const many = await costs(t, 6000)
  for (const [name, { cpu, turns }] of many) {
    const ratio = cpu / few.get(name)!.cpu
    // If each looked itself up in the list, it would be 16.
    assert.ok(ratio < 10, `${name}: ${few.get(name)!.cpu} ms, then ${cpu} ms`)
    assert.ok(turns > 3, `${name}: ${turns} turns`)
  }
})

test('a line of the log tells of a long list how many there are, and the first', async (t) => {
  const { log, call } = await start(t)
  assert.equal((await call('PUT', list, { backends: backends(2000) })).status, 200)
  assert.equal((await call('PUT', list, { backends: backends(3, 5) })).status, 200)
  const changes = log.all.filter((line) => 'change' in line).map(({ change }) => change as Record<string, unknown>)
  const first = backends(10).map(({ id }) => id)
  assert.deepEqual(changes[0]!['after'], { count: 2000, first })
  assert.deepEqual(changes[1]!['before'], { count: 2000, first })
  assert.equal((changes[1]!['after'] as unknown[]).length, 3)
  for (const line of log.all) assert.ok(JSON.stringify(line).length < 5000)
})
