import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startRawBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import policiesPlugin, { policies } from '../../src/index.ts'

/** Real sockets, and time that passes when the test says so. */
async function front(t: TestContext, backend: string, policy: keyof typeof policies, options: BalancerOptions = {}) {
  const clock = new ManualClock()
  const app = Fastify()
  await app.register(policiesPlugin)
  await app.register(balancer, { ...options, backends: [backend], policy: policy as never, clock })
  const responseTime = () => app.balancer.explain().backends[0]!.details!['responseTime']
  return { ...(await listenApp(t, app)), clock, responseTime }
}

const learning = Object.entries(policies).filter(([, { settings }]) => 'reports' in settings.properties)

for (const policy of learning.map(([name]) => name as keyof typeof policies)) {
  test(`${policy}: of an event stream the time to its headers counts, and neither its length nor its end`, async (t) => {
    const open: ServerResponse[] = []
    const backend = await startBackend(t, (_request, response) => open.push(response))
    const { url, clock, responseTime, app } = await front(t, backend.url, policy)
    const whole = ask(url)
    await until('it is there', () => open.length === 1)
    clock.advance(25)
    open[0]!.writeHead(200, { 'content-type': 'text/event-stream' })
    open[0]!.write('data: 1\n\n')
    await until('its headers are here', () => responseTime() !== null)
    assert.equal(responseTime(), 25)
    for (let second = 0; second < 10; second++) {
      clock.advance(500)
      open[0]!.write('data: 2\n\n')
    }
    const score = app.balancer.explain().backends[0]!.score!
    assert.ok(score <= 25 * 8, `${score}`)
    open[0]!.end()
    assert.equal((await whole).whole, true)
    await until('it has ended', () => app.balancer.backends[0]!.inFlight === 0)
    assert.ok((responseTime() as number) <= 25)
  })

  test(`${policy}: the time that a client takes to upload does not count`, async (t) => {
    let received = 0
    const backend = await startBackend(t, (request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length))
      request.on('end', () => response.end('x'))
    })
    const { url, clock, responseTime } = await front(t, backend.url, policy)
    const body = new PassThrough()
    const whole = ask(url, { method: 'POST', body })
    body.write(Buffer.alloc(70_000))
    await until('half of it has arrived', () => received === 70_000)
    clock.advance(5000)
    assert.equal(responseTime(), null)
    body.end(Buffer.alloc(70_000))
    assert.equal((await whole).status, 200)
    assert.equal(responseTime(), 0)
  })

  test(`${policy}: of a tunnel the handshake counts`, async (t) => {
    const asked: Socket[] = []
    const backend = await startRawBackend(t, (socket) => socket.once('data', () => asked.push(socket)))
    const options = { upgrade: { protocols: ['test'] } }
    const { port, clock, responseTime, app } = await front(t, backend, policy, options)
    const client = connect(port, '127.0.0.1')
    t.after(() => client.destroy())
    client.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
    await until('it is asked', () => asked.length === 1)
    clock.advance(25)
    asked[0]!.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
    await until('it is open', () => app.balancer.tunnels.size === 1)
    assert.equal(responseTime(), 25)
    clock.advance(900)
    client.destroy()
    await until('it has ended', () => app.balancer.tunnels.size === 0)
    assert.equal(responseTime(), 25)
  })
}
