import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Api } from '../../page/api/api.ts'
import { Confirmation } from '../../page/orders/confirmation.ts'
import { serverIntent } from '../../page/head/server-intent.ts'

/** Real admin routes, asked as the page asks them, and a clock that stands still. */
async function stage(t: TestContext) {
  const clock = new ManualClock(0)
  const app = Fastify()
  t.after(() => app.close())
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  await app.register(balancer, { backends: ['http://127.0.0.1:1'], clock })
  await app.register(adminRoutes, { insecure: true })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const api = new Api(new URL('/_balancer/', origin))
  const run = async (entered: Readonly<Record<string, string>> = {}) =>
    serverIntent(await api.server()).run(api, new Confirmation(entered))
  return { api, clock, run, isClosing: () => isClosing }
}

test('what is offered is the opposite of how the server is', async (t) => {
  const { api, run } = await stage(t)
  const title = async () => serverIntent(await api.server()).title
  assert.equal(await title(), 'Drain server')
  await run()
  assert.equal(await title(), 'End drain')
  await run()
  assert.equal(await title(), 'Drain server')
})

test('each does what it says, and says what has come of it', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1000 })
  const { api, clock, run } = await stage(t)
  assert.deepEqual(await api.server(), {
    state: 'ready',
    closesConnections: false,
    exchanges: 0,
    tunnels: 0,
    idle: true,
  })
  assert.equal(
    await run({ grace: '2.5' }),
    'The server is draining: /ready answers 503; connections are closed in 2.5 s.',
  )
  clock.advance(2499)
  assert.deepEqual(await api.server(), {
    state: 'drain',
    closesConnections: false,
    closesConnectionsAt: 3500,
    closesApp: false,
    exchanges: 0,
    tunnels: 0,
    idle: true,
  })
  clock.advance(1)
  assert.equal((await api.server()).closesConnections, true)
  assert.equal(await run(), 'The server is ready again.')
  assert.deepEqual(await api.server(), {
    state: 'ready',
    closesConnections: false,
    exchanges: 0,
    tunnels: 0,
    idle: true,
  })
  assert.equal(await run({ grace: '0' }), 'The server is draining: /ready answers 503; connections are closed now.')
})

test('the app is closed after the grace where that was chosen, unless the server is taken back', async (t) => {
  const { clock, run, isClosing } = await stage(t)
  const told = await run({ grace: '60', close: 'on' })
  assert.equal(told, 'The server is draining: /ready answers 503; connections are closed in 60 s, then the app closes.')
  await run()
  clock.advance(60_000)
  assert.equal(isClosing(), false)
  await run({ grace: '60', close: 'on' })
  clock.advance(59_999)
  assert.equal(isClosing(), false)
  clock.advance(1)
  await new Promise(setImmediate)
  assert.equal(isClosing(), true)
})

test('the answer comes even where the app is closed at once', async (t) => {
  const { run, isClosing } = await stage(t)
  const told = await run({ grace: '0', close: 'on' })
  assert.equal(told, 'The server is draining: /ready answers 503; connections are closed now, then the app closes.')
  assert.equal(isClosing(), true)
})
