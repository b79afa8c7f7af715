import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends, unusedOrigin } from '../../../../test/support/backend.ts'
import adminRoutes from '../../src/index.ts'
import { backends, c, kept } from './persist-stage.ts'
import { a, b, stage } from '../stage.ts'

describe('a list that was changed', () => {
  test('is there again after a restart, with states; and its revision is not one that was seen', async (t) => {
    const { begin, saved } = await kept(t)
    const first = await begin()
    await first.ask('PUT', backends, {
      backends: [
        { ...b, weight: 5 },
        { ...c, protocol: 'h2c' },
        { ...a, maxInFlight: 7, priority: 1 },
      ],
    })
    await first.ask('PUT', `${backends}/b/state`, { state: 'drain' })
    const { status } = await first.ask('PUT', `${backends}/c/state`, { state: 'maintenance' })
    assert.equal(status, 200)
    assert.deepEqual(await saved(), {
      version: 1,
      balancers: {
        default: {
          revision: 2,
          backends: [
            { ...b, weight: 5, state: 'drain' },
            { ...c, protocol: 'h2c', state: 'maintenance' },
            { ...a, priority: 1, maxInFlight: 7 },
          ],
        },
      },
    })
    await first.app.close()

    const second = await begin()
    const list = await second.ask('GET', backends)
    assert.deepEqual(
      list.body.backends.map((one: Record<string, unknown>) => [
        one.id,
        one.weight,
        one.zone,
        one.maxInFlight,
        one.protocol,
        one.state,
      ]),
      [
        ['b', 5, 'z', 1024, 'http1', 'drain'],
        ['c', 1, undefined, 1024, 'h2c', 'maintenance'],
        ['a', 1, undefined, 7, 'http1', 'ready'],
      ],
    )
    assert.equal(list.body.revision, 1002)
    assert.match(String(list.headers.etag), /^"1002-/)
    assert.equal((await second.ask('PATCH', `${backends}/a`, { weight: 2 }, { 'if-match': '"2"' })).status, 412)
    assert.equal((await saved()).balancers.default.revision, 1002)
    const { revisions } = (await second.ask('GET', '/balancers/default')).body
    assert.deepEqual([revisions.length, revisions[0].revision], [1, 1002])
    await second.ask('PUT', `${backends}/b/state`, { state: 'ready' })
    await second.app.close()

    const third = await begin()
    assert.deepEqual([third.app.balancer.backend('b').state, third.app.balancer.set.revision], ['ready', 2002])
  })

  for (const [what, method, path, body, ids] of [
    ['added to', 'POST', backends, c, ['a', 'b', 'c']],
    ['patched', 'PATCH', `${backends}/a`, { weight: 9 }, ['a', 'b']],
    ['shortened', 'DELETE', `${backends}/a`, undefined, ['b']],
    ['rolled back', 'POST', '/balancers/default/rollback', { revision: 1 }, ['a', 'b']],
    ['drained in part', 'PUT', `${backends}/a/state`, { state: 'drain' }, ['a', 'b']],
  ] as const)
    test(`when it was ${what}`, async (t) => {
      const { begin, saved } = await kept(t)
      const { ask: order, app } = await begin()
      assert.ok((await order(method, path, body)).status < 300)
      const list = (await saved()).balancers.default
      assert.deepEqual(
        [list.backends.map(({ id }: { id: string }) => id), list.revision],
        [ids, app.balancer.set.revision],
      )
    })

  test('nothing is written for what is not to last, or changes nothing', async (t) => {
    const { file, folder } = await kept(t)
    const { ask: order, told } = await stage(t, {
      admin: { insecure: true, persist: file },
      between: (app) => app.register(circuitBreaker),
    })
    await order('PUT', backends, { backends: [c] }, { 'if-match': '"9"' })
    await order('PUT', backends, { backends: ['x'] })
    await order('PUT', `${backends}?dryRun=true`, { backends: [c] })
    await order('POST', '/balancers/default/explain', {})
    await order('PUT', `${backends}/a/circuit`, { state: 'open' })
    assert.deepEqual(
      told.map(({ what }) => what),
      ['circuit.hold'],
    )
    assert.deepEqual(await readdir(folder), [])
  })

  test('is in force before anybody is asked or probed, and nobody in it is judged as a newcomer', async (t) => {
    const { file } = await kept(t)
    const [configured, other] = await startBackends(t, 'configured', 'saved')
    const sick = await unusedOrigin()
    await writeFile(
      file,
      JSON.stringify({
        version: 1,
        balancers: {
          default: {
            revision: 4,
            backends: [
              { id: 'x', url: other!.url },
              { id: 'sick', url: sick },
            ],
          },
        },
      }),
    )
    const app = Fastify()
    await app.register(balancer, { backends: [configured!.url] })
    await app.register(healthCheck, { admit: 'all-or-nothing' })
    await app.register(circuitBreaker)
    const states: string[][] = []
    app.addHook('onReady', async () => void states.push(app.balancer.backends.map(({ id }) => id)))
    await app.register(adminRoutes, { insecure: true, persist: file })
    const { url } = await listenApp(t, app)
    assert.deepEqual(states, [['x', 'sick']])
    assert.equal((await ask(url)).body, 'saved')
    assert.deepEqual([configured!.received.length, app.balancer.backend('sick').vetoes[0]!.by], [0, 'health-check'])
    const events = await ask(`${url}/_balancer/balancers/default`)
    assert.equal(JSON.parse(events.body).revisions.length, 1)
  })

  test('the file goes before what is configured, and the log says how they differ', async (t) => {
    const { begin } = await kept(t)
    const first = await begin()
    await first.ask('PUT', backends, { backends: [{ ...a, weight: 3 }, c] })
    await first.app.close()
    const second = await begin()
    assert.deepEqual(second.list(), ['a 3', 'c 1'])
    const line = second.log.all.find(({ msg }) => msg?.startsWith('balancer'))!
    assert.deepEqual(
      [line.level, line.added, line.removed, line.changed, line.msg],
      [
        40,
        ['c'],
        ['b'],
        ['a'],
        "balancer 'default': restored 2 saved backends (revision 2), replacing the 2 configured",
      ],
    )
    await second.app.close()
    const third = await begin({ backends: [{ ...a, weight: 3 }, c] })
    assert.equal(third.log.all.find(({ msg }) => msg?.startsWith('balancer'))!.level, 30)
  })

  test('what is there by default is not saved, so that a default may change', async (t) => {
    const { begin } = await kept(t)
    const first = await begin()
    await first.ask('PATCH', `${backends}/a`, { weight: 2 })
    await first.app.close()
    const second = await begin({ pool: { connections: 10 } })
    assert.equal(second.app.balancer.backend('a').maxInFlight, 10)
  })
})

describe('of several balancers', () => {
  const several = async (t: TestContext, file: string, names: readonly string[], late: readonly string[] = []) => {
    const register = (app: FastifyInstance, name: string) =>
      app.register(balancer, { name, prefix: `/${name}`, backends: [a, b] })
    const app = Fastify()
    t.after(() => app.close())
    for (const name of names) await register(app, name)
    await app.register(adminRoutes, { insecure: true, persist: file })
    for (const name of late) await register(app, name)
    await app.ready()
    const patch = (name: string, weight: number) =>
      app.inject({ method: 'PATCH', url: `/_balancer/balancers/${name}/backends/a`, payload: { weight } })
    const weights = () => [...app.balancers.values()].map((one) => `${one.name} ${one.backend('a').weight}`)
    return { app, patch, weights }
  }

  test('only those are saved that were changed, so that the others are as configured', async (t) => {
    const { file, saved } = await kept(t)
    const { patch } = await several(t, file, ['one', 'two'])
    await patch('two', 4)
    assert.deepEqual(Object.keys((await saved()).balancers), ['two'])
    await patch('one', 3)
    assert.deepEqual(Object.keys((await saved()).balancers).toSorted(), ['one', 'two'])
  })

  test('those that are registered later get their lists too', async (t) => {
    const { file } = await kept(t)
    const first = await several(t, file, ['one', 'two'])
    await first.patch('one', 3)
    await first.patch('two', 4)
    await first.app.close()
    const second = await several(t, file, ['two'], ['one'])
    assert.deepEqual(second.weights(), ['two 4', 'one 3'])
    assert.equal(second.app.balancers.get('one')!.set.revision, 1002)
  })

  test('the list of one that is no longer there stays in the file, whatever else is changed', async (t) => {
    const { file, saved } = await kept(t)
    const gone = { revision: 3, backends: [{ url: 'http://10.0.0.1', note: 'mine' }] }
    await writeFile(file, JSON.stringify({ version: 1, balancers: { gone } }))
    const { patch } = await several(t, file, ['one'])
    await patch('one', 3)
    const { balancers } = await saved()
    assert.deepEqual([Object.keys(balancers), balancers.gone], [['gone', 'one'], gone])
  })
})
