import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import { Api } from '../../page/api/api.ts'
import { bytesText, tunnelsText } from '../../page/figures-text.ts'
import { withSameBackends } from '../../page/live/same-backends.ts'
import { Confirmation } from '../../page/orders/confirmation.ts'
import { closeIntent } from '../../page/tunnels/tunnel-intent.ts'
import { backendView, balancerView } from './told.ts'

test('a tunnel is listed, and closed on request', async (t) => {
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    socket.on('end', () => socket.end())
    return `${switching(head)}\r\n`
  })
  const app = Fastify()
  await app.register(balancer, { name: 'a/b c', backends: [{ id: 'one', url: backend.url }] })
  await app.register(adminRoutes, { insecure: true })
  const { url, port } = await listenApp(t, app)
  const api = new Api(new URL('/_balancer/', url))
  const client = await rawClient(t, port)
  client.send(handshake('/chat'))
  await client.until(/ 101 /)
  const { total, tunnels } = await api.tunnels('a/b c')
  assert.deepEqual([total, tunnels.length], [1, 1])
  const [tunnel] = tunnels
  assert.deepEqual([tunnel!.client, tunnel!.path, tunnel!.backend], ['127.0.0.1', '/chat', 'one'])
  assert.equal((await api.balancer('a/b c')).backends[0]!.tunnels, 1)
  const { title, consequence, run } = closeIntent('a/b c', tunnel!)
  assert.equal(title, 'Close tunnel 1')
  assert.equal(consequence, '127.0.0.1 is disconnected from one, with status 1001 (going away). It may connect again.')
  assert.equal(await run(api, new Confirmation({})), 'Tunnel 1 is closed.')
  await until('the client sees it', () => client.socket.destroyed)
  assert.equal((await api.tunnels('a/b c')).total, 0)
  await assert.rejects(run(api, new Confirmation({})), /There is no open tunnel '1'/)
})

test('texts of tunnels', () => {
  assert.deepEqual([1, 2, 1234].map(tunnelsText), ['1 tunnel', '2 tunnels', '1,234 tunnels'])
  assert.deepEqual([0, 812, 1023, 1024, 3482, 20 * 1024 ** 2, 5 * 1024 ** 5].map(bytesText), [
    '0 B',
    '812 B',
    '1,023 B',
    '1 KiB',
    '3.4 KiB',
    '20 MiB',
    '5,120 TiB',
  ])
})

test('a backend whose tunnels have changed is rendered again', () => {
  const before = balancerView('api', 'a', 'b')
  const backends = [backendView('a'), backendView('b', { tunnels: 1 })]
  const now = withSameBackends({ ...before, backends }, before)
  assert.equal(now.backends[0], before.backends[0])
  assert.equal(now.backends[1], backends[1])
})
