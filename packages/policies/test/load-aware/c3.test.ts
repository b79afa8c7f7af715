import assert from 'node:assert/strict'
import { test } from 'node:test'
import { close, listOf, Simulated } from './simulated.ts'

const report = (latency: number, inFlight: number) => ({
  'endpoint-load-metrics': `TEXT named_metrics.latency_ms=${latency}, named_metrics.requests_in_flight=${inFlight}`,
})

test('without reports, the response time × the cube of 1 + requests in flight', () => {
  const simulated = new Simulated('c3', listOf('a'))
  simulated.serve(10)
  close(simulated.score('a'), 10)
  simulated.serve(20)
  close(simulated.score('a'), 13)
  simulated.ask()
  simulated.ask()
  close(simulated.score('a'), 13 * 27)
})

test('explain shows the queue that counts, which is relative to the weight', () => {
  const simulated = new Simulated(
    'c3',
    listOf('a', 'b').map((one) => ({ ...one, weight: 5 })),
  )
  for (const id of ['a', 'b']) simulated.backend(id).inFlight = 1
  for (const id of ['a', 'b']) simulated.backend(id).inFlight = 0
  simulated.serve(10)
  const { id } = simulated.serve(10)
  simulated.backend(id).inFlight = 2
  assert.equal(simulated.details(id)['queue'], 3)
  close(simulated.score(id), 270)
})

test('with reports, R − S + q³ × S, with q by the number of balancers', () => {
  const simulated = new Simulated({ name: 'c3', reports: true, balancers: 3 }, listOf('a'))
  simulated.serve(10, 200, report(4, 2))
  close(simulated.score('a'), 10 - 4 + 27 * 4)
  // Means of 30 %: R = 13, S = 4.6, queue = 2.6.
  simulated.serve(20, 200, report(6, 4))
  close(simulated.score('a'), 13 - 4.6 + 3.6 ** 3 * 4.6)
  simulated.ask()
  close(simulated.score('a'), 13 - 4.6 + (1 + 3 + 2.6) ** 3 * 4.6)
  assert.deepEqual(Object.keys(simulated.details('a')), ['responseTime', 'ownTime', 'queue'])
})

test('a backend that claims to need no time is believed down to a tenth, and none is slower than measured', () => {
  const simulated = new Simulated({ name: 'c3', reports: true }, listOf('a', 'b'))
  const [first, second] = [simulated.ask(), simulated.ask()]
  simulated.clock.advance(10)
  simulated.answer(first, 200, report(0, 0))
  simulated.answer(second, 200, report(1e5, 0))
  close(simulated.details(first.backend.id)['ownTime'], 1)
  close(simulated.details(second.backend.id)['ownTime'], 10)
})

test('unused, it fades after 1 s', () => {
  const simulated = new Simulated('c3', listOf('a'))
  simulated.serve(50)
  simulated.clock.advance(6000)
  close(simulated.score('a'), 50 / Math.E)
})
