import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import dashboard, { dashboard as named, faultsOfOptions, type DashboardOptions } from '../src/index.ts'
import { stage } from './stage.ts'

function coded(code: string, ...places: readonly string[]) {
  return (error: Error & { code: string }) => {
    assert.equal(error.code, code)
    for (const place of places) assert.ok(error.message.includes(place), `${place} in: ${error.message}`)
    return true
  }
}

async function administered(t: TestContext): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await app.register(adminRoutes, { insecure: true })
  return app
}

test('is the default export and a named one', () => {
  assert.equal(dashboard, named)
})

test('without the admin routes, the app does not start, and it is said what is missing', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await assert.rejects(async () => app.register(dashboard, { insecure: true }), /@fastify-balancer\/admin-routes/)
})

test('without a hook the app does not start, unless that is meant', async (t) => {
  for (const options of [{}, { onRequest: [] }, { insecure: false }]) {
    const app = await administered(t)
    await assert.rejects(async () => app.register(dashboard, options), coded('FST_BALANCER_DASHBOARD_UNGUARDED'))
  }
  const { log } = await stage(t, { dashboard: { insecure: true } })
  assert.equal(log.all.filter(({ level, msg }) => level === 40 && msg?.startsWith('the dashboard at')).length, 1)
  const guarded = await stage(t, { dashboard: { onRequest: async () => {} } })
  assert.equal(guarded.log.all.filter(({ msg }) => msg?.startsWith('the dashboard at')).length, 0)
})

test('every fault of the options is named at once', async (t) => {
  const app = await administered(t)
  const bad = { path: 'x', admin: '/a/', insecure: 'no', misspelt: 1 } as unknown as DashboardOptions
  await assert.rejects(
    async () => app.register(dashboard, bad),
    coded('FST_BALANCER_DASHBOARD_BAD_OPTIONS', 'path: ', 'admin: ', 'insecure: ', 'misspelt: '),
  )
  assert.deepEqual(faultsOfOptions({ onRequest: [async () => {}, 'no' as never], path: '/a', admin: '/a' }), [
    'onRequest: expected a function, or an array of functions, got a string',
    'path: must differ from the prefix of the admin routes',
  ])
  assert.deepEqual(faultsOfOptions({ onRequest: 0 as never }), [
    'onRequest: expected a function, or an array of functions, got 0',
  ])
  assert.deepEqual(faultsOfOptions({ onRequest: async () => {} }), [])
})

test('a path that a router or a browser would read in another way is refused', () => {
  for (const path of ['/', '/a/', '//a', '/a/../b', '/..', '/.', '/:a', '/a*', '/a b', '/a?b', '/a%2fb', 'a'])
    assert.equal(faultsOfOptions({ path }).length, 1, path)
  for (const path of ['/a', '/a/b-c_d~e', '/...', '/.a', '/a.b']) assert.deepEqual(faultsOfOptions({ path }), [], path)
})

test('none of its routes is described by @fastify/swagger', async (t) => {
  const routes: { readonly url: string; readonly hide: unknown }[] = []
  await stage(t, {
    dashboard: { insecure: true, path: '/look' },
    before: (app) =>
      app.addHook('onRoute', ({ url, schema }) => {
        if (url.startsWith('/look')) routes.push({ url, hide: schema?.hide })
      }),
  })
  assert.deepEqual(new Set(routes.map(({ url }) => url)), new Set(['/look', '/look/*', '/look/settings.json']))
  assert.deepEqual(
    routes.filter(({ hide }) => hide !== true),
    [],
  )
})

test('where the admin routes are not, the app does not start', async (t) => {
  const app = await administered(t)
  await assert.rejects(
    async () => app.register(dashboard, { insecure: true, admin: '/elsewhere' }),
    coded('FST_BALANCER_DASHBOARD_NO_ADMIN_ROUTES', '/elsewhere'),
  )
})

test('where the page is not built, the app does not start, and it is said how to build it', async (t) => {
  const copy = await mkdtemp(join(import.meta.dirname, '..', 'unbuilt-'))
  t.after(() => rm(copy, { recursive: true, force: true }))
  await cp(join(import.meta.dirname, '..', 'src'), join(copy, 'src'), { recursive: true })
  const { default: unbuilt } = (await import(join(copy, 'src', 'index.ts'))) as { default: typeof dashboard }
  const app = await administered(t)
  await assert.rejects(
    async () => app.register(unbuilt, { insecure: true }),
    coded('FST_BALANCER_DASHBOARD_NOT_BUILT', 'pnpm --filter @fastify-balancer/dashboard build'),
  )
})
