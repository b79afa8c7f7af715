import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import healthCheck, { type HealthCheckOptions } from '../src/index.ts'

/** Backends `a` and `b`, of which each answers 200 only to the paths that it knows. */
async function checking(t: TestContext, options: HealthCheckOptions = {}) {
  const clock = new ManualClock()
  const known = new Map([
    ['a', new Set(['/', '/old'])],
    ['b', new Set(['/', '/old'])],
    ['c', new Set(['/new'])],
  ])
  const probed: string[] = []
  const started = await Promise.all(
    [...known].map(async ([id, paths]) => {
      const { url } = await startBackend(t, (request, response) => {
        if (request.method === 'HEAD') probed.push(`${id}${request.url}`)
        response.writeHead(paths.has(request.url!) ? 200 : 500).end()
      })
      return { id, url }
    }),
  )
  const [a, b, c] = started as [{ id: string; url: string }, { id: string; url: string }, { id: string; url: string }]
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [a, b], clock, random: () => 0.5, retry: { attempts: 0 } })
  await app.register(healthCheck, { path: '/old', interval: 1000, ...options })
  await app.ready()
  const prepare = (given: HealthCheckOptions | false | undefined, backends = [a, b]) =>
    app.balancer.prepare({ backends, retry: { attempts: 0 } }, { beside: { 'health-check': given } })
  const vetoes = (id: string) => app.balancer.backend(id).vetoes.map(({ by }) => by)
  return { app, clock, known, probed, backends: [a, b, c] as const, prepare, vetoes }
}

test('another path, interval and count of probes are in force at once, and verdicts stay', async (t) => {
  const { app, clock, known, probed, prepare, vetoes } = await checking(t)
  const check = app.healthCheck
  const change = await prepare({ path: '/new', interval: 200, fall: 2, headers: { 'x-key': 'secret' } })
  assert.deepEqual(change.changes, [
    { option: 'healthCheck.path', from: '/old', to: '/new' },
    { option: 'healthCheck.interval', from: 1000, to: 200 },
    { option: 'healthCheck.fall', from: 3, to: 2 },
    { option: 'healthCheck.headers.x-key', from: undefined, to: '(hidden)' },
  ])
  change.commit()
  assert.deepEqual([check.of('a').active!.state, vetoes('a')], ['up', []])
  probed.length = 0
  known.get('b')!.add('/new')
  for (let probes = 1; probes <= 2; probes++) {
    clock.advance(200)
    await until('both have been probed', () =>
      ['a', 'b'].every((id) => {
        const { consecutive, lastProbe } = check.of(id).active!
        return (
          lastProbe!.sent.endsWith('/new') && (id === 'b' || consecutive === probes) && probed.length === 2 * probes
        )
      }),
    )
  }
  assert.deepEqual(new Set(probed), new Set(['a/new', 'b/new']))
  assert.deepEqual([vetoes('a'), vetoes('b')], [['health-check'], []])
})

test('newcomers are judged by the options that come with them', async (t) => {
  const { app, backends, prepare, vetoes } = await checking(t)
  const [a, b, c] = backends
  const refused = await prepare({ path: '/old', admit: 'all-or-nothing' }, [a, b, c])
  assert.match(refused.faults.join(), /^backends: c: HEAD .*\/old: status 500 is not expected$/)
  refused.abandon()
  const change = await prepare({ path: '/new', admit: 'all-or-nothing' }, [a, b, c])
  assert.deepEqual(change.faults, [])
  change.commit()
  assert.deepEqual([vetoes('c'), app.healthCheck.of('c').active!.state], [[], 'up'])
})

test('what is wrong refuses the whole change', async (t) => {
  const { app, prepare } = await checking(t)
  const { options } = app.balancer
  const change = await prepare({ rise: 0, path: 'new' })
  assert.deepEqual(
    change.faults.map((fault) => fault.split(':')[0]),
    ['healthCheck.path', 'healthCheck.rise'],
  )
  change.abandon()
  assert.equal(app.balancer.options, options)
})

test('switched off, it takes back what it held against backends and leaves no timer; switched on, it begins anew', async (t) => {
  const { app, clock, known, probed, prepare, vetoes } = await checking(t, { fall: 1 })
  const check = app.healthCheck
  known.get('a')!.clear()
  clock.advance(1000)
  await until('a is out', () => vetoes('a').length === 1)
  await until('b was probed, too', () => check.of('b').active!.lastProbe !== undefined && probed.length === 4)
  for (let count = 0; count < 12; count++) await app.inject('/nobody-knows')
  const off = await prepare(false)
  assert.deepEqual(off.changes, [{ option: 'healthCheck', from: true, to: false }])
  off.commit()
  assert.deepEqual([vetoes('a'), vetoes('b')], [[], []])
  assert.equal(app.balancer.extensions.has('health-check'), false)
  assert.equal(app.balancer.hooks.onAttemptStart.length, 0)
  const count = probed.length
  clock.advance(60_000)
  assert.equal(probed.length, count)
  // Nothing is said of it where nothing is said.
  ;(await prepare(undefined)).commit()
  assert.equal(app.balancer.extensions.has('health-check'), false)

  const on = await prepare({ path: '/old', interval: 1000, fall: 1 })
  assert.deepEqual(on.changes, [{ option: 'healthCheck', from: false, to: true }])
  on.commit()
  assert.equal(app.healthCheck, check)
  // Those in use are trusted until they have been probed.
  assert.deepEqual([vetoes('a'), check.of('a').active!.state], [[], 'up'])
  clock.advance(1000)
  await until('a is out again', () => vetoes('a').length === 1)
})

test('probes can be switched off and on by themselves', async (t) => {
  const { app, clock, known, probed, prepare, vetoes } = await checking(t, { fall: 1 })
  known.get('a')!.clear()
  clock.advance(1000)
  await until('a is out', () => vetoes('a').length === 1)
  await until('b was probed, too', () => probed.length === 4)
  ;(await prepare({ type: 'none' })).commit()
  assert.deepEqual(vetoes('a'), [])
  assert.equal(app.healthCheck.of('a').active, undefined)
  clock.advance(60_000)
  assert.equal(probed.length, 4)
  ;(await prepare({ path: '/old', interval: 1000, fall: 1 })).commit()
  clock.advance(1000)
  await until('a is out again', () => vetoes('a').length === 1)
})

test('other rules for outliers count what was counted before', async (t) => {
  const { app, prepare, vetoes } = await checking(t, { type: 'none', path: '/', interval: 5000 })
  for (let count = 0; count < 4; count++) await app.inject('/nobody-knows')
  assert.deepEqual([vetoes('a'), vetoes('b')], [[], []])
  const change = await prepare({ type: 'none', outliers: { consecutive: { failures: 3 } } })
  assert.deepEqual(
    change.changes.map(({ option }) => option),
    ['healthCheck.outliers.consecutive.failures'],
  )
  change.commit()
  await app.inject('/nobody-knows')
  assert.deepEqual(vetoes('a'), ['outlier-detection'])
  // Fewer may be out: it comes back.
  const ceiling = { type: 'none', outliers: { consecutive: { failures: 3 }, maxEjected: 0 } } as const
  ;(await prepare(ceiling)).commit()
  assert.deepEqual(vetoes('a'), [])
})

test('an abandoned change leaves the check as it was', async (t) => {
  const { app, clock, probed, prepare, backends } = await checking(t, { type: 'none' })
  const [a, b] = backends
  for (const given of [{ path: '/new' }, false as const, { type: 'none' as const, outliers: { interval: 10 } }]) {
    const change = await prepare(given, [a, b])
    change.abandon()
  }
  clock.advance(60_000)
  assert.deepEqual(probed, [])
  assert.equal(app.healthCheck.of('a').active, undefined)
})
