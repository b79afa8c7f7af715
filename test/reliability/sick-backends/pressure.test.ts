import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { noProbes, startChecked } from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'
import { SteadyLoad } from './steady-load.ts'

const retryAfter = { 'retry-after': '1' }

for (const status of [429, 503]) {
  test(`a backend that answers ${status} with retry-after is left alone for that long, and not blamed`, async (t) => {
    const backends = await startFourMoody(t)
    const { app, balancer, url, load } = await startChecked(t, {
      backends,
      healthCheck: {
        ...noProbes,
        outliers: { consecutive: { failures: 1, gateway: 1 } },
        ...(status === 429 && { pressure: { heed: '429-and-503' } }),
      },
      circuitBreaker: { failures: 1 },
    })
    const victim = balancer.backend('a')
    load.begin(url)
    await load.more(40)

    backends[0]!.mood = { status, headers: retryAfter }
    await until('it is left alone', () => victim.vetoes.length > 0)
    const [veto] = victim.vetoes
    assert.deepEqual([victim.vetoes.length, veto!.by, veto!.hard], [1, 'pressure', false])
    assert.match(veto!.reason, new RegExp(`^status ${status} with retry-after: 1`))
    await until('what was under way there is over', () => victim.inFlight === 0)
    backends[0]!.mood = {}
    const { received } = backends[0]!
    await until('it is sent something again', () => backends[0]!.received > received)
    const took = Date.now() - veto!.since
    await load.more(40)
    await load.end()

    assert.ok(took > 990 && took < 5000, `it was left alone for ${took.toFixed(0)} ms`)
    const { passive, history } = app.healthCheck.of('a')
    assert.deepEqual(passive.consecutive, { failures: 0, gateway: 0, unreached: 0 })
    assert.equal(passive.interval.failures + passive.lastInterval.failures, 0)
    assert.equal(passive.timesEjected, 0)
    assert.deepEqual(
      history.map(({ by, good }) => ({ by, good })),
      [
        { by: 'pressure', good: true },
        { by: 'pressure', good: false },
      ],
    )
    const { state, openings, failures } = app.circuitBreaker.of('a')
    assert.deepEqual({ state, openings, failures }, { state: 'closed', openings: 0, failures: [] })
    for (const { vetoes } of balancer.backends) assert.deepEqual(vetoes, [])
    t.diagnostic(
      `${status}: left alone for ${took.toFixed(0)} ms; ${load.failed.length} of ${load.samples.length} GETs got ${status}`,
    )
  })
}

test('one client that is told to slow down takes no backend away from the others', async (t) => {
  const backends = await startFourMoody(t)
  for (const backend of backends) {
    backend.mood = ({ headers }) => (headers['x-client'] === 'greedy' ? { status: 429, headers: retryAfter } : {})
  }
  const greedy = new SteadyLoad(t)
  const { app, balancer, url, load } = await startChecked(t, { backends, healthCheck: noProbes })
  let most = 0
  balancer.addHook('onAttemptStart', () => {
    most = Math.max(most, balancer.backends.filter(({ vetoes }) => vetoes.length > 0).length)
  })
  load.begin(url)
  greedy.begin(url, 4, { headers: { 'x-client': 'greedy' } })
  await Promise.all([load.more(400), greedy.more(400)])
  await Promise.all([load.end(), greedy.end()])
  assert.deepEqual(load.failed, [])
  assert.equal(greedy.failed.length, greedy.samples.length)
  assert.equal(most, 0)
  for (const { passive, history } of app.healthCheck.toJSON()) {
    assert.deepEqual([passive.interval.failures, passive.lastInterval.failures, history], [0, 0, []])
  }
  for (const { state, failures } of app.circuitBreaker.views) assert.deepEqual([state, failures], ['closed', []])
})
