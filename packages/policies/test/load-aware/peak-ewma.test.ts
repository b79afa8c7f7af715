import assert from 'node:assert/strict'
import { test } from 'node:test'
import { close, listOf, Simulated } from './simulated.ts'

/** One backend that answers in the given times, with `pause` ms after each. */
function answered(policy: object, times: readonly number[], pause = 0): Simulated {
  const simulated = new Simulated({ name: 'peak-ewma', ...policy }, listOf('a'))
  for (const time of times) {
    simulated.serve(time)
    simulated.clock.advance(pause)
  }
  return simulated
}

test('the first response is the mean; the next counts by the time since, at most 30 %', () => {
  close(answered({}, [10]).details('a')['responseTime'], 10)
  // 20 ms after 10 ms: 1 − e^(−20/300) = 6.449 %.
  close(answered({}, [10, 20]).details('a')['responseTime'], 10 + 10 * (1 - Math.exp(-20 / 300)))
  // 420 ms after: 1 − e^(−1.4) = 75 %, so 30 %.
  close(answered({}, [10, 20], 400).details('a')['responseTime'], 13)
  close(answered({ average: 1000 }, [10, 20]).details('a')['responseTime'], 10 + 10 * (1 - Math.exp(-20 / 1000)))
})

test('one long response counts as 5 times the mean', () => {
  close(answered({}, [10, 5000]).details('a')['responseTime'], 10 + 0.3 * 40)
})

test('with peaks: response, a slower one is the mean at once, as in tower', () => {
  close(answered({ peaks: 'response' }, [10, 500]).details('a')['responseTime'], 500)
  close(answered({ peaks: 'response' }, [500, 20]).details('a')['responseTime'], 500 - 480 * (1 - Math.exp(-20 / 300)))
})

test('unused, it counts in full for 1 s, then fades, and never below 0.1 ms', () => {
  const simulated = answered({}, [50])
  simulated.clock.advance(1000)
  close(simulated.details('a')['responseTime'], 50)
  simulated.clock.advance(5000)
  close(simulated.details('a')['responseTime'], 50 / Math.E)
  close(simulated.score('a'), 50 / Math.E)
  simulated.clock.advance(100_000)
  close(simulated.score('a'), 0.1)
  const faster = answered({ decay: 100 }, [50])
  faster.clock.advance(1100)
  close(faster.details('a')['responseTime'], 50 / Math.E)
})

test('the cost is the time × (1 + load relative to the weight)', async () => {
  const simulated = new Simulated('peak-ewma', [{ ...listOf('a')[0]!, weight: 3 }, listOf('b')[0]!])
  const both = [simulated.ask(), simulated.ask()]
  simulated.clock.advance(10)
  for (const attempt of both) simulated.answer(attempt)
  const running = [simulated.ask(), simulated.ask(), simulated.ask(), simulated.ask()]
  const counts = ['a', 'b'].map((id) => running.filter(({ backend }) => backend.id === id).length)
  // The mean weight is 2.
  close(simulated.score('a'), 10 * (1 + (counts[0]! * 2) / 3))
  close(simulated.score('b'), 10 * (1 + counts[1]! * 2))
  assert.deepEqual(counts, [3, 1])
  // 5 : 1, of the mean weight 3.
  await simulated.balancer.update('a', { weight: 5 })
  close(simulated.score('a'), 10 * (1 + (3 * 3) / 5))
})

test('a backend that has requests and sends nothing is avoided before it answers', () => {
  const simulated = new Simulated('peak-ewma', listOf('a', 'b'))
  simulated.run(4, 100, () => ({ after: 5 }))
  const stuck = [simulated.ask(), simulated.ask()].find(({ backend }) => backend.id === 'a')!
  simulated.clock.advance(200)
  assert.equal(simulated.details('a')['silence'], 200)
  close(simulated.score('a'), 200 * 2)
  assert.equal(simulated.picked, 'b')
  // It speaks again: the mean counts, with this one as 5 times it.
  simulated.answer(stuck)
  assert.equal(simulated.details('a')['silence'], 0)
  close(simulated.details('a')['responseTime'], 5 + 0.3 * 20)
  const tower = new Simulated({ name: 'peak-ewma', peaks: 'response' }, listOf('a'))
  tower.serve(5)
  tower.ask()
  tower.clock.advance(200)
  close(tower.score('a'), 10)
})

test('a client that leaves says that the response would have taken longer', () => {
  const simulated = answered({}, [10])
  const short = simulated.ask()
  simulated.clock.advance(9)
  short.cancel('client-gone')
  close(simulated.details('a')['responseTime'], 10)
  const long = simulated.ask()
  simulated.clock.advance(400)
  long.cancel('client-gone')
  close(simulated.details('a')['responseTime'], 10 + 0.3 * 40)
})

test('a failure counts as 5 s, in full; 501 and 404 as responses', () => {
  for (const [status, expected] of [
    [503, 10 + 4990 * 0.3],
    [500, 10 + 4990 * 0.3],
    [501, 10],
    [404, 10],
  ] as const) {
    const simulated = answered({}, [10])
    simulated.clock.advance(500)
    simulated.serve(10, status)
    close(simulated.details('a')['responseTime'], expected)
  }
  const broken = answered({}, [10])
  broken.clock.advance(500)
  broken.fail(broken.ask())
  close(broken.details('a')['responseTime'], 10 + 4990 * 0.3)
  const unpunished = answered({ penalty: false }, [10])
  unpunished.clock.advance(500)
  unpunished.fail(unpunished.ask())
  close(unpunished.details('a')['responseTime'], 10)
})

test('an upload is no silence, and its time is the client’s', () => {
  const simulated = answered({}, [10])
  const upload = simulated.ask({ method: 'POST', headers: { 'content-length': '1000000' }, uploads: true })
  simulated.clock.advance(3000)
  assert.equal(simulated.details('a')['silence'], 0)
  upload.onRequestSent()
  upload.onBodySent(Buffer.alloc(1))
  simulated.clock.advance(1)
  simulated.respond(upload, 413)
  assert.ok((simulated.details('a')['responseTime'] as number) < 50)
})

test('explain tells how many are compared', () => {
  const compared = (count: number) =>
    new Simulated('peak-ewma', listOf(...Array.from({ length: count }, (_, at) => `b${at}`))).balancer.explain().policy[
      'compared'
    ]
  assert.deepEqual([compared(2), compared(16), compared(17)], [2, 16, 2])
})
