import assert from 'node:assert/strict'
import { test } from 'node:test'
import { close, listOf, Simulated } from './simulated.ts'

test('95 % of the average stay with each response', () => {
  const simulated = new Simulated('least-time', listOf('a'))
  simulated.serve(100)
  simulated.serve(200)
  close(simulated.details('a')['responseTime'], 105)
  simulated.serve(20)
  close(simulated.details('a')['responseTime'], 0.95 * 105 + 0.05 * 20)
})

test('unused, it counts as half after each 10 s', () => {
  const simulated = new Simulated('least-time', listOf('a'))
  simulated.serve(100)
  simulated.clock.advance(9899)
  close(simulated.score('a'), 100)
  simulated.clock.advance(1)
  close(simulated.score('a'), 50)
  simulated.clock.advance(20_000)
  close(simulated.score('a'), 12.5)
})

test('longer than 5 s is not told apart', () => {
  const simulated = new Simulated('least-time', listOf('a'))
  simulated.serve(9000)
  close(simulated.score('a'), 5000)
})

test('with inflight, the mean age of waiting requests counts if it is longer', () => {
  for (const inflight of [true, false]) {
    const simulated = new Simulated({ name: 'least-time', inflight }, listOf('a'))
    simulated.serve(10)
    const first = simulated.ask()
    simulated.clock.advance(40)
    simulated.ask()
    simulated.clock.advance(30)
    // 70 and 30 ms.
    close(simulated.details('a')['waitingAge'], 50)
    close(simulated.score('a'), (inflight ? 50 : 10) * 3)
    simulated.respond(first)
    close(simulated.details('a')['waitingAge'], 30)
  }
})

test('to the last byte, the whole response counts, but of an event stream only the headers', () => {
  for (const [to, type, expected] of [
    ['last-byte', 'text/html', 110],
    ['first-byte', 'text/html', 10],
    ['last-byte', 'text/event-stream; charset=utf-8', 10],
  ] as const) {
    const simulated = new Simulated({ name: 'least-time', to }, listOf('a'))
    const attempt = simulated.ask()
    simulated.clock.advance(10)
    simulated.respond(attempt, 200, { 'content-type': type })
    simulated.clock.advance(100)
    simulated.end(attempt)
    close(simulated.details('a')['responseTime'], expected)
  }
})

test('equals take turns by weight', () => {
  const simulated = new Simulated('least-time', [{ ...listOf('a')[0]!, weight: 2 }, listOf('b')[0]!])
  simulated.serve(10)
  simulated.serve(10)
  // a has had its turn; b was the only one without a response.
  assert.equal(Array.from({ length: 6 }, () => simulated.serve(10).id).join(''), 'baabaa')
})
