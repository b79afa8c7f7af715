import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { startFourProcesses } from './backend-process.ts'
import { attemptsFromNow, spread, startChecked } from './checked-app.ts'
import { p99 } from './steady-load.ts'

test('when all backends are gone, clients are told quickly; when they are back, so is everything', async (t) => {
  const backends = await startFourProcesses(t)
  const { app, balancer, url, log, load } = await startChecked(t, {
    backends,
    healthCheck: { interval: 300, fastInterval: 100, downInterval: 200, timeout: 500, outliers: { ejectFor: 1000 } },
    circuitBreaker: { openFor: 300, maxOpenFor: 1000 },
  })
  const told = (text: string) => log.all.filter(({ msg }) => msg?.startsWith(text) === true).length
  load.begin(url)
  await load.more(100)

  const killedAt = performance.now()
  await Promise.all(backends.map((backend) => backend.kill()))
  await until('panic begins', () => balancer.set.panicking, 15_000)
  const panicAfter = performance.now() - killedAt
  assert.equal(told('panic mode: '), 1)
  // None is left that some check trusts; all of them are still asked, since they may be wrong.
  assert.equal(balancer.set.available.length, 4)
  const from = load.samples.length
  await load.more(200)
  const refused = load.samples.slice(from)
  for (const { status, whole, duration } of refused) {
    assert.ok(status === 502 || status === 503, `status ${status}`)
    assert.ok(whole && duration < 5000, `told after ${duration.toFixed(0)} ms`)
  }

  const restartedAt = performance.now()
  await Promise.all(backends.map((backend) => backend.restart()))
  const listeningAt = performance.now()
  const restored = () => load.samples.find(({ startedAt, status }) => startedAt > restartedAt && status === 200)
  await until('a GET succeeds', () => restored() !== undefined, 15_000)
  const firstAfter = restored()!.startedAt - restartedAt
  // A circuit that is half-open has no veto before its trial, and has one while that is under way.
  const calm = () =>
    !balancer.set.panicking &&
    balancer.backends.every(({ id, vetoes }) => vetoes.length === 0 && app.circuitBreaker.of(id).state === 'closed')
  await until('nothing is left vetoed', calm, 15_000)
  const calmAfter = performance.now() - listeningAt
  // Each gets its quarter again, and every GET succeeds.
  const attempts = attemptsFromNow(balancer)
  const since = performance.now()
  await load.more(200)
  await load.end()
  const shares = attempts()
  assert.ok(spread(shares) <= 1, `shares: ${shares.join(', ')}`)
  assert.deepEqual(
    load.failed.filter(({ startedAt }) => startedAt >= since),
    [],
  )
  assert.equal(told('panic mode ended'), told('panic mode: '))
  assert.ok(calm())
  t.diagnostic(
    `panic after ${panicAfter.toFixed(0)} ms; 502 or 503 within ${p99(refused).toFixed(0)} ms (p99); first success ` +
      `${firstAfter.toFixed(0)} ms after the restart began (it took ${(listeningAt - restartedAt).toFixed(0)} ms), ` +
      `nothing vetoed ${calmAfter.toFixed(0)} ms after it`,
  )
})
