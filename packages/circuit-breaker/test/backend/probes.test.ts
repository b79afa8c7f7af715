import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start } from '../stage.ts'

test('a probe that began before the circuit opened tells nothing about the time since', async (t) => {
  const { clock, breaker, balancer, trip, state } = await start(t, 'ab')
  await trip()
  clock.advance(100)
  const probed = (took: number) => breaker.probed(balancer.backend('a'), { good: true, timings: { took } })
  probed(101)
  assert.equal(state('a'), 'open')
  probed(100)
  assert.equal(state('a'), 'half-open')
})
