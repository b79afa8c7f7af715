import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import metrics, { faultsOfOptions } from '../../src/index.ts'

// Here nobody sets up the SDK. In this order, for what has been loaded once stays loaded.

const names = ['exchange:start', 'exchange:end', 'attempt:start', 'attempt:end'].map((name) => `balancer-core:${name}`)
const heard = () => names.filter((name) => channel(name).hasSubscribers)

test('tracing is on or off', () => {
  assert.deepEqual(faultsOfOptions({ tracing: 'yes' as never }), ["tracing: expected true or false, got 'yes'"])
  assert.deepEqual(faultsOfOptions({ tracing: true }), [])
})

test('without @opentelemetry/api the app does not start with tracing, and does without', async (t) => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith('@opentelemetry/')) return next(specifier, context)
      throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
  t.after(() => hooks.deregister())
  const bare = Fastify()
  t.after(() => bare.close())
  await bare.register(balancer, { backends: [] })
  await bare.register(metrics)
  await bare.ready()
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await assert.rejects(async () => app.register(metrics, { tracing: true }), {
    code: 'FST_BALANCER_METRICS_NO_OPENTELEMETRY',
    message: 'The option `tracing` needs the package @opentelemetry/api: npm install @opentelemetry/api',
  })
})

test('another error of its loading is told as it is', async (t) => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('@opentelemetry/')) throw new Error('the disk is gone')
      return next(specifier, context)
    },
  })
  t.after(() => hooks.deregister())
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await assert.rejects(async () => app.register(metrics, { tracing: true }), { message: 'the disk is gone' })
})

test('where no SDK is set up, requests pass, with what their client sent', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  await app.register(balancer, { backends: [backend.url] })
  await app.register(metrics, { tracing: true })
  const { url } = await listenApp(t, app)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  assert.equal((await ask(url, { headers: { traceparent } })).status, 200)
  assert.equal(backend.received[0]!.headers['traceparent'], traceparent)
})

test('it listens from ready to close', async () => {
  const app = Fastify()
  await app.register(balancer, { backends: [] })
  await app.register(metrics, { tracing: true })
  assert.deepEqual(heard(), [])
  await app.ready()
  assert.deepEqual(heard(), names)
  await app.close()
  assert.deepEqual(heard(), [])
})
