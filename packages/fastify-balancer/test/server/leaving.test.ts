import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import Fastify from 'fastify'
import balancer from '../../src/index.ts'
import { leave } from '../../src/server/leaving.ts'

test('the time that idle connections are given counts to the drain deadline', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { drainDeadline: 40, healthCheck: false })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const idle = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(idle, 'connect')
  const deadlines: (number | undefined)[] = []
  t.mock.method(app.balancer, 'close', async (deadline?: number) => void deadlines.push(deadline))
  await leave([app.server], [app.balancer])
  assert.equal(deadlines.length, 1)
  assert.ok(deadlines[0]! >= 1 && deadlines[0]! < 40, `${deadlines[0]} of 40 ms are left`)
  assert.equal(app.server.listening, false)
  await once(idle.resume(), 'close')
})
