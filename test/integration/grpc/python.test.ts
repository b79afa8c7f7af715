import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { callUnary, grpcClient, startGrpcApp, startGrpcBackend } from '../../support/grpc.ts'
import { callFromPython, startPythonBackend, withoutPython } from '../../support/grpc-python.ts'
import { until } from '../../support/until.ts'

failOnCrash()

const skip = withoutPython

test("gRPC's implementation in C: as client, as server, and as both", { skip }, async (t) => {
  const python = await startPythonBackend(t)
  const javascript = await startGrpcBackend(t, { name: 'javascript' })
  for (const url of [python, javascript.url]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { app, port, log } = await startGrpcApp(t, { backends: [{ url, id: 'one' }] })
    // oxlint-disable-next-line no-await-in-loop -- likewise
    assert.deepEqual(await callFromPython(t, port), {
      unary: ['hello', 'OK', 'a  b, c', [0, 255, 128]],
      failed: ['FAILED_PRECONDITION', 'kaput: 100 % für immer'],
      nothing: 'UNIMPLEMENTED',
      collected: 'abcdef',
      counted: Array.from({ length: 20 }, (_, index) => [index, 300_000]),
      chatted: ['one', 'two', 'three'],
    })
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await until('all have ended', () => app.balancer.exchanges === 0)
    assert.deepEqual(app.balancer.backend('one').outcomes, { ok: 6 })
    assert.deepEqual(
      log.exchanges.map(({ grpcStatus }) => grpcStatus),
      ['OK', 'FAILED_PRECONDITION', 'UNIMPLEMENTED', 'OK', 'OK', 'OK'],
    )
  }

  const { port } = await startGrpcApp(t, { backends: [python] })
  const end = await callUnary(grpcClient(t, port), 'hello', { metadata: { 'wanted-status': '9' } })
  assert.deepEqual([end.code, end.details], ['FAILED_PRECONDITION', 'kaput: 100 % für immer'])
  assert.deepEqual(end.trailers.get('served-by'), ['python'])
})
