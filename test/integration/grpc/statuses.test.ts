import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import metrics from '@fastify-balancer/metrics'
import * as grpc from '@grpc/grpc-js'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { callUnary, grpcClient, startGrpcApp, startGrpcBackend, type GrpcBackend } from '../../support/grpc.ts'

failOnCrash()

/** A backend that fails each unary call like this; with `headers`, its status comes behind them. */
function startFailing(
  t: TestContext,
  code: grpc.status,
  { headers = false, pushback, name = 'failing' }: { headers?: boolean; pushback?: string; name?: string } = {},
): Promise<GrpcBackend> {
  return startGrpcBackend(t, {
    name,
    handlers: {
      Unary(call, done) {
        const metadata = new grpc.Metadata()
        if (pushback !== undefined) metadata.set('grpc-retry-pushback-ms', pushback)
        if (headers) call.sendMetadata(new grpc.Metadata())
        done({ code, details: 'no', metadata })
      },
    },
  })
}

const counted = [
  ['UNAVAILABLE', true],
  // As 500, which opens no circuit unless `statuses` lists it.
  ['INTERNAL', true],
  ['UNKNOWN', true],
  ['DATA_LOSS', true],
  ['NOT_FOUND', false],
  ['INVALID_ARGUMENT', false],
  ['UNAUTHENTICATED', false],
  ['UNIMPLEMENTED', false],
  ['RESOURCE_EXHAUSTED', false],
  ['CANCELLED', false],
] as const

for (const headers of [false, true])
  test(`statuses that are a backend's fault open its circuit and eject it: ${headers ? 'in trailers' : 'in headers alone'}`, async (t) => {
    for (const [name, isFault] of counted) {
      // oxlint-disable no-await-in-loop -- one after the other
      const backend = await startFailing(t, grpc.status[name], { headers })
      const { app, port } = await startGrpcApp(t, {
        backends: [
          { url: backend.url, id: 'one' },
          { url: backend.url, id: 'two' },
        ],
        after: async (instance) => {
          await instance.register(healthCheck, {
            type: 'none',
            outliers: { consecutive: { failures: 3 }, maxEjected: 1 },
          })
          await instance.register(circuitBreaker, { failures: 3 })
        },
      })
      const client = grpcClient(t, port)
      for (let asked = 0; asked < 6; asked++) assert.equal((await callUnary(client, '')).code, name)
      const { vetoes, outcomes } = app.balancer.backend('one')
      assert.deepEqual(outcomes, { ok: 3 })
      assert.deepEqual(
        vetoes.map(({ by }) => by).sort(),
        isFault ? [...(name === 'UNAVAILABLE' ? ['circuit-breaker'] : []), 'outlier-detection'] : [],
        name,
      )
      const ejected = vetoes.find(({ by }) => by === 'outlier-detection')
      if (isFault) assert.equal(ejected?.reason, `3 failures in a row (last: ${name})`)
      // oxlint-enable no-await-in-loop
    }
  })

test('statuses of `retry.grpc` are retried elsewhere with the whole request, once and only if nothing has been passed on', async (t) => {
  const good = await startGrpcBackend(t, { name: 'good' })
  const retried = async (failing: GrpcBackend, options: object, message = 'hello') => {
    const { app, port, log } = await startGrpcApp(t, {
      backends: [
        { url: failing.url, id: 'failing' },
        { url: good.url, id: 'good' },
      ],
      ...options,
    })
    const { code, message: answer } = await callUnary(grpcClient(t, port), message)
    const { requests } = app.balancer.backend('good')
    assert.equal(answer?.toString(), requests === 0 ? undefined : message)
    assert.equal(log.exchanges[0]?.['grpcStatus'] ?? code, code)
    return code
  }
  const unavailable = await startFailing(t, grpc.status.UNAVAILABLE)
  assert.equal(await retried(unavailable, {}), 'UNAVAILABLE')
  const listed = { retry: { grpc: ['UNAVAILABLE'] } }
  assert.equal(await retried(unavailable, listed), 'OK')
  assert.equal(await retried(unavailable, listed, 'a'.repeat(60_000)), 'OK')
  assert.equal(await retried(unavailable, listed, 'a'.repeat(70_000)), 'UNAVAILABLE')
  assert.equal(await retried(unavailable, { retry: { grpc: ['UNAVAILABLE'], attempts: 0 } }), 'UNAVAILABLE')
  assert.equal(await retried(await startFailing(t, grpc.status.ABORTED), listed), 'ABORTED')
  assert.equal(await retried(await startFailing(t, grpc.status.UNAVAILABLE, { headers: true }), listed), 'UNAVAILABLE')
  for (const [pushback, code] of [
    ['0', 'OK'],
    ['100', 'UNAVAILABLE'],
    ['-1', 'UNAVAILABLE'],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal(await retried(await startFailing(t, grpc.status.UNAVAILABLE, { pushback }), listed), code, pushback)
  }
})

test('calls are counted by the status that clients got, and those of each backend by its own', async (t) => {
  const failing = await startFailing(t, grpc.status.UNAVAILABLE)
  const good = await startGrpcBackend(t)
  const { app, port } = await startGrpcApp(t, {
    backends: [
      { url: failing.url, id: 'failing' },
      { url: good.url, id: 'good' },
    ],
    retry: { grpc: ['UNAVAILABLE'] },
    after: (instance) => instance.register(metrics),
  })
  const client = grpcClient(t, port)
  await callUnary(client, '')
  await callUnary(client, '', { metadata: { 'wanted-status': '5' } })
  const text = await app.balancerMetrics.text()
  const lines = text.split('\n').filter((line) => line.startsWith('fastify_balancer_grpc'))
  assert.deepEqual(lines.sort(), [
    'fastify_balancer_grpc_calls_total{balancer="default",grpc_status="NOT_FOUND"} 1',
    'fastify_balancer_grpc_calls_total{balancer="default",grpc_status="OK"} 1',
    'fastify_balancer_grpc_responses_total{balancer="default",backend="failing",grpc_status="UNAVAILABLE"} 2',
    'fastify_balancer_grpc_responses_total{balancer="default",backend="good",grpc_status="NOT_FOUND"} 1',
    'fastify_balancer_grpc_responses_total{balancer="default",backend="good",grpc_status="OK"} 1',
  ])
})
