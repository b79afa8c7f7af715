import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startRawBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import policiesPlugin, { policies } from '../../src/index.ts'

async function front(t: TestContext, options: BalancerOptions) {
  const app = Fastify()
  await app.register(policiesPlugin)
  await app.register(balancer, options)
  return listenApp(t, app)
}

/** How long what is not to be counted takes (ms), and what everything that is counted stays below, on a slow machine. */
const long = 400

for (const policy of Object.keys(policies) as (keyof typeof policies)[]) {
  const responseTime = ({ app }: Awaited<ReturnType<typeof front>>) =>
    app.balancer.explain().backends[0]!.details?.['responseTime'] as number | null | undefined

  // A policy that learns no response times has none.
  if (!('reports' in policies[policy].settings.properties)) continue

  test(`${policy}: of an event stream the time to its headers counts, and neither its length nor its end`, async (t) => {
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      setTimeout(() => response.end('data: 2\n\n'), long)
    })
    const started = await front(t, { backends: [backend.url], policy })
    const whole = ask(started.url)
    await until(() => typeof responseTime(started) === 'number')
    const before = responseTime(started)!
    assert.ok(before < long)
    await whole
    assert.equal(responseTime(started), before)
    assert.ok(started.app.balancer.explain().backends[0]!.score! < long)
  })

  test(`${policy}: the time that a client takes to upload does not count`, async (t) => {
    const backend = await startBackend(t, (request, response) => {
      request.resume()
      request.on('end', () => response.end('x'))
    })
    const started = await front(t, { backends: [backend.url], policy })
    async function* upload() {
      yield Buffer.alloc(70_000)
      await later(long)
      yield Buffer.alloc(70_000)
    }
    const whole = ask(started.url, { method: 'POST', body: Readable.from(upload()) })
    await until(() => backend.received.length === 1)
    await whole
    assert.ok(responseTime(started)! < long)
  })

  test(`${policy}: of a tunnel the handshake counts`, async (t) => {
    const backend = await startRawBackend(t, (socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n'),
      )
    })
    const started = await front(t, { backends: [backend], policy, upgrade: { protocols: ['test'] } })
    const client = connect(started.port, '127.0.0.1')
    t.after(() => client.destroy())
    client.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
    await new Promise((resolve) => void client.once('data', resolve))
    const handshake = responseTime(started)!
    assert.ok(handshake < long)
    await later(50)
    client.destroy()
    await until(() => started.app.balancer.tunnels.size === 0)
    assert.equal(responseTime(started), handshake)
  })
}
