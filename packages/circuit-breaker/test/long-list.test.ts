import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { start } from './stage.ts'

const count = 5000
const list = (name: string) =>
  Array.from({ length: count }, (_, index) => ({ id: `${name}${index}`, url: 'http://127.0.0.1:9' }))

test('thousands of newcomers have circuits at once for whoever asks, and keep them; those who left have none', async (t) => {
  const { balancer, breaker, state } = await start(t, 'a')
  await balancer.setBackends(list('old'), { force: true })
  await balancer.setBackends(list('new'), { force: true })
  const last = `new${count - 1}`
  breaker.isolate(last)
  assert.equal(state(last), 'isolated')
  const ids = breaker.views.map(({ backend }) => backend)
  assert.deepEqual(
    ids,
    list('new').map(({ id }) => id),
  )
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  assert.deepEqual([state(last), state('new0'), breaker.views.length], ['isolated', 'closed', count])
  assert.throws(() => breaker.of('old0'), /old0/)
})
