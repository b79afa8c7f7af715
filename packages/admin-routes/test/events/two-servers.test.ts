import circuitBreaker from '@fastify-balancer/circuit-breaker'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { read, start, told, type StageOptions } from './stage.ts'

const options: StageOptions = { plugins: (app) => app.register(circuitBreaker) }

test('what circuits of two servers do at one moment is told to each of its own, however alike they are', async (t) => {
  t.mock.method(Date, 'now', () => 1_700_000_000_000)
  const [one, other] = [await start(t, options), await start(t, options)]
  const readers = [await read(t, one), await read(t, other)]
  one.app.circuitBreaker.hold('a', 'open')
  other.app.circuitBreaker.hold('a', 'open')
  one.app.circuitBreaker.hold('b', 'open')
  for (const { app } of [one, other]) await app.balancer.update('c', { weight: 2 })
  const seen = await Promise.all(
    readers.map(async (reader) => {
      await reader.until(/"type":"backends"/)
      return reader.events.map(told).filter(({ type }) => type === 'circuit')
    }),
  )
  assert.deepEqual(
    seen.map((events) => events.map(({ backend, state }) => `${String(backend)} ${String(state)}`)),
    [['a isolated', 'b isolated'], ['a isolated']],
  )
})
