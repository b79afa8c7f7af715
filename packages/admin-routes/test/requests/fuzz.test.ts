import circuitBreaker from '@fastify-balancer/circuit-breaker'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { stage } from '../stage.ts'

const backends = '/balancers/default/backends'
/** Every route that takes a body, with one that is right. */
const routes: readonly (readonly [method: string, path: string, right: unknown])[] = [
  ['PUT', backends, { backends: ['http://a:1', { id: 'a', url: 'http://x:2' }] }],
  ['PUT', `${backends}?dryRun=true`, { backends: [] }],
  ['POST', backends, { url: 'http://x:1' }],
  ['PATCH', `${backends}/a`, { weight: 3 }],
  ['DELETE', `${backends}/zzz`, {}],
  ['PUT', `${backends}/a/state`, { state: 'drain' }],
  ['PUT', `${backends}/a/circuit`, { state: 'open', ttl: 5 }],
  ['POST', `${backends}/a/probe`, {}],
  ['POST', '/balancers/default/explain', {}],
  ['POST', '/balancers/default/rollback', { revision: 1 }],
]

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('http://x', 'http://[::1]:1', 'a', 'drain', '__proto__', '10.0.0.1'),
)
const leaf = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, fc.integer(), fc.double())
/** Near to what is right: names that mean something, with anything in them. */
const near = fc.dictionary(
  fc.constantFrom(
    'url',
    'id',
    'weight',
    'priority',
    'maxInFlight',
    'zone',
    'tags',
    'state',
    'deadline',
    'ttl',
    'reason',
    'revision',
    'method',
    'headers',
    'x',
  ),
  leaf,
)
const wrong = fc.oneof(leaf, near, fc.record({ backends: fc.array(fc.oneof(near, leaf), { maxLength: 4 }) }))
const asked = fc
  .constantFrom(...routes)
  .chain(([method, path, right]) =>
    fc.tuple(fc.constant(method), fc.constant(path), fc.oneof({ arbitrary: wrong, weight: 3 }, fc.constant(right))),
  )
const tag = fc.option(fc.constantFrom('"1"', '*', 'W/"1"', '"', '""', '"1", "2"', 'x'), { nil: undefined, freq: 1 })

test('no body makes it fail, and one that is refused changes nothing', async (t) => {
  const { app, ask, told } = await stage(t, {
    // Nothing changes by itself.
    balancer: { clock: new ManualClock() },
    between: (server) => server.register(circuitBreaker, {}),
  })
  const state = () =>
    JSON.stringify([app.balancer.set.revision, app.balancer.backends, app.circuitBreaker.views, told.length])
  let refused = 0
  let done = 0
  await fc.assert(
    fc.asyncProperty(asked, tag, async ([method, path, given], condition) => {
      const before = state()
      const payload = JSON.stringify(given) ?? 'null'
      const { status, body: answer } = await ask(method, path, payload, {
        'content-type': 'application/json',
        ...(condition !== undefined && { 'if-match': condition }),
      })
      assert.ok(status < 500, `${method} ${path} ${payload}: ${status} ${JSON.stringify(answer)}`)
      if (status >= 400) {
        refused++
        assert.equal(state(), before, `${method} ${path} ${payload}: ${status}`)
        assert.equal(typeof answer.message, 'string')
      } else done++
      if (!app.balancer.backends.some(({ id }) => id === 'a')) await app.balancer.add({ id: 'a', url: 'http://a' })
    }),
    { numRuns: 2000, seed: 4 },
  )
  assert.ok(refused > 500 && done > 100, `${refused} refused, ${done} done`)
})

test('neither do paths and queries', async (t) => {
  const { ask, list, told } = await stage(t)
  const part = fc.string({ unit: 'binary', maxLength: 30 }).map((raw) => encodeURIComponent(raw.toWellFormed()))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'DELETE', 'PATCH', 'PUT', 'POST', 'OPTIONS', 'HEAD'),
      fc.array(fc.oneof(part, fc.constantFrom('balancers', 'backends', 'wait', 'history', 'failures')), {
        maxLength: 6,
      }),
      fc.webQueryParameters(),
      async (method, parts, query) => {
        const { status } = await ask(method, `/${parts.join('/')}?${query}`)
        assert.ok(status < 500, String(status))
      },
    ),
    { numRuns: 500, seed: 4 },
  )
  assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
})

test('a query of a route that reads is right, or is refused with what is wrong', async (t) => {
  const { ask } = await stage(t)
  const name = fc.constantFrom('range', 'backends', 'limit', 'after', 'backend', 'timeout', 'until', 'toString', 'x')
  const value = fc.oneof(text, fc.constantFrom('1h', '5m', '20', 'true', 'false', 'idle', '-1', '1e3', '101'))
  let refused = 0
  let done = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('history', 'failures', 'tunnels', 'backends/a/wait'),
      fc.array(fc.tuple(name, value), { maxLength: 2 }),
      async (path, pairs) => {
        const query = String(new URLSearchParams(pairs.map(([one, other]) => [one, other.toWellFormed()])))
        const { status, body } = await ask('GET', `/balancers/default/${path}?${query}`)
        assert.ok(status === 200 || status === 400 || status === 404, `${path}?${query}: ${status}`)
        if (status === 200) done++
        else refused++
        if (status === 400) assert.ok(body.faults.length > 0)
      },
    ),
    { numRuns: 400, seed: 14 },
  )
  assert.ok(refused > 100 && done > 40, `${refused} refused, ${done} done`)
})
