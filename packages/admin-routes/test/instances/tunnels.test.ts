import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Value } from '@sinclair/typebox/value'
import { TunnelsView, TunnelView } from '../../src/schemas/tunnel-views.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import { startInstances } from './stage.ts'

async function open(t: TestContext, url: string) {
  const client = await rawClient(t, Number(new URL(url).port))
  client.send(handshake('/chat'))
  await client.until(/ 101 [^]*\r\n\r\n/)
  return client
}

test('tunnels of all instances are listed, and can be closed, at each', async (t) => {
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    socket.on('end', () => socket.end())
    return `${switching(head)}\r\n`
  })
  const backends = [{ id: 'w', url: backend.url }]
  const { all } = await startInstances(t, 2, { balancer: { backends } })
  const clients = await Promise.all(all.map(({ url }) => open(t, url)))
  for (const { ask } of all) {
    const { body } = await ask('GET', '/balancers/default/tunnels')
    assert.deepEqual([...Value.Errors(TunnelsView, body)], [])
    assert.deepEqual(
      body.tunnels.map(({ id, instance }: any) => [id, instance]),
      [
        ['1@1', '1'],
        ['1@2', '2'],
      ],
    )
  }
  const page = await all[1]!.ask('GET', '/balancers/default/tunnels?limit=1')
  const { body } = await all[0]!.ask(
    'GET',
    `/balancers/default/tunnels?limit=1&after=${encodeURIComponent(page.body.next)}`,
  )
  assert.deepEqual([body.tunnels[0].id, body.next], ['1@2', undefined])
  const closed = await all[0]!.ask('DELETE', '/balancers/default/tunnels/1@2')
  assert.deepEqual([...Value.Errors(TunnelView, closed.body)], [])
  assert.deepEqual([closed.status, closed.body.closedBy], [200, 'operator'])
  await clients[1]!.closed()
  assert.equal((await all[1]!.ask('DELETE', '/balancers/default/tunnels/1@2')).status, 404)
  assert.equal((await all[0]!.ask('GET', '/balancers/default/tunnels')).body.total, 1)
})
