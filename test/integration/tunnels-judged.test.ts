import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ManualClock } from '../support/clock.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'

/** Backends that switch as long as they are `well`; others break the connection. */
async function start(t: TestContext, ids: readonly string[], options: BalancerOptions = {}, listed = ids.length) {
  const clock = new ManualClock(1000)
  const state = { well: true }
  const servers = await Promise.all(
    ids.map(() =>
      startUpgradeBackend(t, (head, { socket }) => {
        socket.on('end', () => socket.end())
        if (state.well) return `${switching(head)}\r\n`
        socket.resetAndDestroy()
        return undefined
      }),
    ),
  )
  const app = Fastify()
  const all = servers.map(({ url }, index) => ({ id: ids[index]!, url }))
  await app.register(balancer, { backends: all.slice(0, listed), clock, retry: { attempts: 0 }, ...options })
  await app.register(circuitBreaker, { failures: 3, openFor: 10_000, jitter: 0 })
  await app.register(healthCheck, { type: 'none', outliers: { consecutive: { failures: 4 } } })
  const { port } = await listenApp(t, app)
  /** Asks for a tunnel, and answers the status with the client. */
  const ask = async () => {
    const client = await rawClient(t, port)
    client.send(handshake())
    await client.until(/\r\n\r\n/)
    return { status: Number(client.received.slice(9, 12)), client }
  }
  return { app, clock, state, servers, all, ask }
}

test('the circuit and the outlier detection judge a handshake, and never the end of a tunnel', async (t) => {
  const { app, clock, state, servers, ask } = await start(t, ['a'])
  const circuit = () => app.circuitBreaker.of('a')
  state.well = false
  for (let count = 0; count < 3; count++) assert.equal((await ask()).status, 502)
  assert.equal(circuit().state, 'open')
  state.well = true
  clock.advance(10_000)
  assert.equal(circuit().state, 'half-open')
  // The trial has succeeded as soon as the backend has switched; its tunnel stays open.
  assert.equal((await ask()).status, 101)
  assert.deepEqual([circuit().state, circuit().trials, app.balancer.tunnels.size], ['closed', 0, 1])

  for (let count = 0; count < 9; count++) assert.equal((await ask()).status, 101)
  const { connections } = servers[0]!
  for (const { socket } of connections.slice(3)) socket.resetAndDestroy()
  await until('all tunnels are broken', () => app.balancer.exchanges === 0)
  const backend = app.balancer.backend('a')
  assert.deepEqual([circuit().state, backend.vetoes], ['closed', []])
  assert.deepEqual(backend.outcomes, { 'reset-before-headers': 3, ok: 10 })
  // Failures since the last success: a tunnel that was opened in between ends the row.
  state.well = false
  for (let count = 0; count < 2; count++) await ask()
  assert.equal(circuit().state, 'closed')
  await ask()
  assert.equal(circuit().state, 'open')
})

test('open tunnels count as load by their weight, and explain says so', async (t) => {
  const options = { policy: 'least-requests', upgrade: { weight: 0.5 } } as const
  const { app, ask } = await start(t, ['a', 'b'], options)
  const loads = () => app.balancer.explain().backends.map(({ tunnels, load, score }) => [tunnels, load, score])
  const opened = [await ask(), await ask(), await ask(), await ask()]
  assert.deepEqual(loads(), [
    [2, 1, 1],
    [2, 1, 1],
  ])
  const [first] = app.balancer.tunnels
  const { backend } = first!.purpose
  const others = [...app.balancer.tunnels].filter((one) => one.purpose.backend === backend)
  await Promise.all(others.map((one) => one.shutDown('operator')))
  await until('two are left', () => app.balancer.exchanges === 2)
  assert.equal(backend.load, 0)
  assert.equal(app.balancer.explain().picked, backend.id)
  // The next two go to it, until both have as many.
  await ask()
  await ask()
  assert.equal(backend.tunnels.size, 2)
  for (const { client } of opened) client.socket.destroy()
})

test('a backend in slow start gets few tunnels; those that it has do not hold it up', async (t) => {
  const options = { policy: 'least-requests', slowStart: 10_000, upgrade: { weight: 1 } } as const
  const { app, clock, all, ask } = await start(t, ['a', 'new'], options, 1)
  for (let count = 0; count < 4; count++) await ask()
  await app.balancer.add(all[1]!)
  const fresh = app.balancer.backend('new')
  clock.advance(2500)
  const early = fresh.effectiveWeight
  assert.ok(early > 0 && early < 1)
  await ask()
  assert.equal(fresh.tunnels.size, 1)
  assert.equal(app.balancer.explain().backends[1]!.score, 1 / early)
  clock.advance(7500)
  assert.deepEqual([fresh.tunnels.size, fresh.effectiveWeight], [1, 1])
})
