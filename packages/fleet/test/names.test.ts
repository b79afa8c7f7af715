import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../test/support/until.ts'
import { instances } from './stage.ts'

/** What every object has. */
const names = ['constructor', '__proto__', 'toString']

test('backends may be called what every object has', async (t) => {
  const backends = names.map((id, index) => ({ id, url: `http://b${index}.test`, maxInFlight: 10 }))
  const { apps } = await instances(t, 2, { backends })
  const states = () => apps.map(({ balancer }) => balancer.backends.map(({ state }) => state).join())
  assert.deepEqual(states(), ['ready,ready,ready', 'ready,ready,ready'])
  await until('each has half', () => apps.every(({ balancer }) => balancer.backends.every(({ limit }) => limit === 5)))
  for (const id of names) void apps[0]!.balancer.maintain(id, { reason: 'new disk' })
  const all = 'maintenance,maintenance,maintenance'
  await until('all are ordered everywhere', () => states().every((one) => one === all))
  for (const id of names) apps[1]!.balancer.ready(id)
  await until('all are back everywhere', () => states().every((one) => one === 'ready,ready,ready'))
})
