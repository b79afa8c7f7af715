import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { until } from '../../../test/support/until.ts'
import type { MirrorOptions } from '../src/index.ts'
import { mirrored } from './stage.ts'

/** Everything of `mirrored`, and a way to change the options. */
async function changing(...given: Parameters<typeof mirrored>) {
  const stage = await mirrored(...given)
  const backends = [stage.backend.url]
  const prepare = (mirror: MirrorOptions | false | undefined) =>
    stage.app.balancer.prepare({ backends }, { beside: { mirror } })
  const change = async (mirror: MirrorOptions | false) => {
    const prepared = await prepare(mirror)
    assert.deepEqual(prepared.faults, [])
    prepared.commit()
  }
  const { hooks } = stage.app.balancer
  return { ...stage, prepare, change, hooks }
}

test('what would change is told, and nothing is changed before', async (t) => {
  const { app, prepare } = await changing(t, { to: ['http://a.test'] })
  const prepared = await prepare({ to: ['http://a.test', 'b.test:80'], share: 0.5, timeouts: { request: 1 } })
  assert.deepEqual(
    prepared.changes.map(({ option, from, to }) => [option, from, to]),
    [
      ['mirror.to', ['http://a.test'], ['http://a.test', 'http://b.test']],
      ['mirror.share', 1, 0.5],
      ['mirror.timeouts.request', 10_000, 1],
    ],
  )
  assert.equal(app.mirror.views.length, 1)
  prepared.abandon()
  const same = await prepare({ to: ['a.test:80'] })
  assert.deepEqual([same.changes, same.isEmpty], [[], true])
  same.abandon()
})

test('servers that stay keep their copies in progress and their counts; those that go are left at once', async (t) => {
  const hanging = await startBackend(t, () => {})
  const leaving = await startBackend(t, () => {})
  const coming = await startBackend(t)
  const { app, url, change } = await changing(t, { to: [hanging.url, leaving.url], maxInFlight: 1 })
  await ask(url)
  await until('both have a copy', () => hanging.received.length + leaving.received.length === 2)
  await change({ to: [coming.url, hanging.url], maxInFlight: 2 })
  await until('it is left', () => leaving.sockets.size === 0)
  for (let asked = 0; asked < 2; asked++) await ask(url)
  await until('the new one has copies', () => app.mirror.views[0]!.outcomes['2xx'] === 2)
  assert.deepEqual(
    app.mirror.views.map(({ url: server, inFlight, sent, dropped }) => [server, inFlight, sent, dropped.full]),
    [
      [coming.url, 0, 2, 0],
      [hanging.url, 2, 2, 1],
    ],
  )
})

test('switched off, or without servers, it costs nothing; switched on, it begins anew', async (t) => {
  const copies = await startBackend(t)
  const { app, url, change, prepare, idle, hooks } = await changing(t, { to: [copies.url] })
  const { mirror } = app
  assert.equal(hooks.onAttemptStart.length, 1)
  const off = await prepare(false)
  assert.deepEqual(off.changes, [{ option: 'mirror', from: true, to: false }])
  off.commit()
  assert.deepEqual([hooks.onAttemptStart.length, app.balancer.extensions.has('mirror')], [0, false])
  await ask(url)
  for (const given of [false, undefined] as const) {
    const unchanged = await prepare(given)
    assert.deepEqual(unchanged.changes, [])
    unchanged.abandon()
  }
  await change({ to: [] })
  assert.deepEqual([hooks.onAttemptStart.length, app.mirror], [0, mirror])
  await change({ to: [copies.url] })
  assert.equal(hooks.onAttemptStart.length, 1)
  await ask(url)
  await idle()
  assert.deepEqual([copies.received.length, mirror.views[0]!.sent], [1, 1])
})

test('what is wrong refuses the whole change', async (t) => {
  const { app, prepare } = await changing(t, { to: ['http://a.test'] })
  const { options } = app.balancer
  for (const [given, faults] of [
    [{ to: ['nowhere'], share: 2 }, ['mirror.share']],
    [{ to: ['nowhere'] }, ['mirror.to.0']],
    [true, ['mirror']],
  ] as const) {
    const refused = await prepare(given as unknown as MirrorOptions)
    assert.deepEqual(
      refused.faults.map((fault) => fault.split(':')[0]),
      faults,
    )
    refused.abandon()
  }
  assert.deepEqual([app.balancer.options, app.mirror.views.length], [options, 1])
})

test('a change that comes when the app has closed opens nothing', async (t) => {
  const { app, prepare, hooks } = await changing(t, { to: ['http://a.test'] })
  const late = await prepare({ to: ['http://b.test'] })
  const { mirror } = app
  await app.close()
  late.commit()
  assert.deepEqual([mirror.views, hooks.onAttemptStart.length], [[], 0])
})
