import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { rawClient } from '../../../test/support/raw.ts'
import { until } from '../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../test/support/upgrade-backend.ts'
import metrics from '../src/index.ts'
import { counted, scrape } from './scrape.ts'

/** A WebSocket frame of a client: binary, 4 bytes, masked with 0. */
const frame = Buffer.from([0x82, 0x84, 0, 0, 0, 0, 1, 2, 3, 4])

test('a tunnel is a request until it is open; after that, only a tunnel', async (t) => {
  const clock = new ManualClock(1000)
  const backend = await startUpgradeBackend(t, (head) => {
    // The handshake takes a quarter of a second.
    clock.advance(250)
    if (head.startsWith('GET /refused')) return 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'
    return head.startsWith('GET /wrong')
      ? 'HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n'
      : `${switching(head)}\r\n`
  })
  const app = Fastify()
  await app.register(balancer, { clock, backends: [{ id: 'a', url: backend.url }], retry: { attempts: 0 } })
  await app.register(metrics)
  const { port } = await listenApp(t, app)
  const open = async () => {
    const client = await rawClient(t, port)
    client.send(Buffer.concat([Buffer.from(handshake()), frame]))
    await client.until(/ 101 /)
    return client
  }
  const [first, second] = [await open(), await open()]
  for (const path of ['/refused', '/wrong']) {
    const refused = await rawClient(t, port)
    refused.send(handshake(path))
    await refused.closed()
  }
  backend.connections[0]!.socket.write('back')
  await first.until(/back$/)
  await until('what came early has arrived', () => backend.connections[1]!.received.length === 10)
  await until('those that were refused have ended', () => app.balancer.exchanges === 2)

  const of = '{balancer="default"}'
  const requests = {
    '{balancer="default",outcome="ok",status="1xx"}': 2,
    '{balancer="default",outcome="ok",status="4xx"}': 1,
    '{balancer="default",outcome="upgrade-mismatch",status="5xx"}': 1,
  }
  const during = await scrape(app)
  const at = '{balancer="default",backend="a"}'
  assert.deepEqual(counted(during, 'fastify_balancer_requests_total'), requests)
  assert.equal(during[`fastify_balancer_requests_in_flight${of}`], 0)
  assert.equal(during[`fastify_balancer_tunnels${at}`], 2)
  assert.equal(during[`fastify_balancer_tunnel_sent_bytes_total${at}`], 20)
  assert.equal(during[`fastify_balancer_tunnel_received_bytes_total${at}`], 4)
  assert.equal(during[`fastify_balancer_backend_sent_bytes_total${at}`], 20)
  assert.deepEqual(counted(during, 'fastify_balancer_tunnels_closed_total'), {})

  // Ten minutes later one is closed by its client, and the other by an operator.
  clock.advance(599_000)
  first.socket.destroy()
  await until('the backend sees it', () => backend.connections[0]!.ended)
  backend.connections[0]!.socket.end()
  await until('one is left', () => app.balancer.tunnels.size === 1)
  const closing = [...app.balancer.tunnels][0]!.shutDown('operator')
  await second.closed()
  backend.connections[1]!.socket.end()
  await closing
  await until('all have ended', () => app.balancer.exchanges === 0)

  const after = await scrape(app)
  assert.deepEqual(counted(after, 'fastify_balancer_requests_total'), requests)
  assert.equal(after[`fastify_balancer_tunnels${at}`], 0)
  assert.equal(after[`fastify_balancer_requests_in_flight${of}`], 0)
  assert.deepEqual(counted(after, 'fastify_balancer_tunnels_closed_total'), {
    '{balancer="default",backend="a",closed_by="client"}': 1,
    '{balancer="default",backend="a",closed_by="operator"}': 1,
  })
  const count = (name: string, end: string) => after[`${name}_seconds_${end}`]
  for (const name of ['fastify_balancer_request_duration', 'fastify_balancer_backend_response']) {
    const labels = name.endsWith('duration') ? of : at
    assert.equal(count(name, `count${labels}`), name.endsWith('duration') ? 4 : 3, name)
    assert.equal(count(name, `bucket${labels.replace('}', ',le="0.25"}')}`), count(name, `count${labels}`), name)
  }
  assert.equal(count('fastify_balancer_request_duration', `sum${of}`), 4 * 0.25)
  assert.equal(count('fastify_balancer_queue_wait', `sum${of}`), 0)
  const tunnels = 'fastify_balancer_tunnel_duration'
  assert.equal(count(tunnels, `count${of}`), 2)
  assert.equal(count(tunnels, 'bucket{balancer="default",le="300"}'), 0)
  assert.equal(count(tunnels, 'bucket{balancer="default",le="1800"}'), 2)
})
