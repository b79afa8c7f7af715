import { failures, type FailureReason } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { once } from 'node:events'
import { test } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { failureResponse, messageField } from '../../../packages/balancer-core/src/grpc/failure-response.ts'
import { failureStatus } from '../../../packages/balancer-core/src/grpc/failure-status.ts'
import { callOf } from '../../../packages/balancer-core/src/grpc/remote-call.ts'
import { ask } from '../../support/ask.ts'
import { startApp } from '../../support/app.ts'
import { unusedOrigin } from '../../support/backend.ts'
import { callUnary, grpcClient, startGrpcApp } from '../../support/grpc.ts'

failOnCrash()

const text = 'The backend could not be reached'

test('each form of call gets a failure in its own form, over HTTP/1.1', async (t) => {
  const { url } = await startApp(t, { backends: [await unusedOrigin()], failureHeader: true })
  const post = (type: string, headers = {}) =>
    ask(url, { method: 'POST', headers: { 'content-type': type, ...headers } })

  const grpc = await post('application/grpc+proto')
  const { 'grpc-status': status, 'grpc-message': message, 'content-type': type } = grpc.headers
  assert.deepEqual([grpc.status, type, status, message, grpc.body], [200, 'application/grpc+proto', '14', text, ''])
  assert.equal(grpc.headers['x-balancer-failure'], 'connect-refused')

  const trailers = `grpc-status: 14\r\ngrpc-message: ${text}\r\n`
  const frame = Buffer.concat([Buffer.from([0x80, 0, 0, 0, trailers.length]), Buffer.from(trailers)])
  const web = await post('application/grpc-web+proto')
  assert.deepEqual([web.status, web.headers['content-type']], [200, 'application/grpc-web+proto'])
  assert.equal(web.headers['content-length'], String(frame.length))
  const webText = await post('application/grpc-web-text')
  assert.deepEqual([webText.status, webText.headers['content-type']], [200, 'application/grpc-web-text'])
  assert.deepEqual(Buffer.from(webText.body, 'base64'), frame)

  const unary = await post('application/json', { 'connect-protocol-version': '1' })
  assert.deepEqual([unary.status, unary.headers['content-type']], [503, 'application/json'])
  assert.deepEqual(JSON.parse(unary.body), { code: 'unavailable', message: text })
  const stream = await post('application/connect+json')
  assert.deepEqual([stream.status, stream.headers['content-type']], [200, 'application/connect+json'])
  assert.equal(stream.body.charCodeAt(0), 2)
  assert.deepEqual(JSON.parse(stream.body.slice(5)), { error: { code: 'unavailable', message: text } })

  // What is no call gets what the app sends.
  const plain = await post('application/json')
  assert.equal((JSON.parse(plain.body) as { code: string }).code, 'FST_BALANCER_CONNECT_REFUSED')
})

test('over HTTP/2, the headers are the end of a failure, and of the response of a backend that has only headers', async (t) => {
  const { app, port, log } = await startGrpcApp(t, {
    backends: [await unusedOrigin()],
    before: (instance) =>
      instance.addHook('onRequest', async (request, reply) => {
        reply.header('x-own', 'kept')
        if (request.url === '/secret') throw Object.assign(new Error('who are you?'), { statusCode: 401 })
      }),
  })
  const session = connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  // The client has not finished sending, and never does.
  const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' })
  const [headers, flags] = (await once(stream, 'response')) as [IncomingHttpHeaders, number]
  assert.deepEqual([headers['grpc-status'], headers['x-own'], flags & 1], ['14', 'kept', 1])
  await once(stream.resume(), 'close')
  assert.equal(stream.rstCode, 0)
  const [line] = log.exchanges
  assert.deepEqual([line!.outcome, line!['grpcStatus'], line!.status], ['connect-refused', 'UNAVAILABLE', 200])

  // An error of the app's own hooks stays HTTP: clients of gRPC read the status of that.
  const client = grpcClient(t, port)
  assert.equal((await callUnary(client, '', { method: '/secret' })).code, 'UNAUTHENTICATED')
  await app.balancer.setBackends([], { force: true })
  const { code, details } = await callUnary(client, '')
  assert.deepEqual([code, details], ['UNAVAILABLE', 'No backend is available'])
})

test('every failure has a status, and a message in which no byte can be misread', () => {
  const statuses = Object.fromEntries(
    (Object.keys(failures) as FailureReason[]).map((reason) => [reason, failureStatus(reason)]),
  )
  const known = {
    'bad-request': 'INTERNAL',
    'no-backend': 'UNAVAILABLE',
    'queue-full': 'RESOURCE_EXHAUSTED',
    'connect-timeout': 'UNAVAILABLE',
    'headers-timeout': 'DEADLINE_EXCEEDED',
    'client-deadline': 'DEADLINE_EXCEEDED',
    'drain-deadline': 'UNAVAILABLE',
  }
  for (const [reason, status] of Object.entries(known)) assert.equal(statuses[reason], status, reason)
  for (const [reason, status] of Object.entries(statuses)) assert.notEqual(status, 'UNKNOWN', reason)
  assert.equal(messageField('100 % für\r\n~'), '100 %25 f%C3%BCr%0D%0A~')
  const call = callOf({ method: 'POST', headers: { 'content-type': 'application/grpc; x=y' } } as never)!
  assert.equal(failureResponse(call, 'INTERNAL', '').headers['content-type'], 'application/grpc')
  for (const type of ['application/grpcx', 'text/grpc', 'application/json'])
    assert.equal(callOf({ method: 'POST', headers: { 'content-type': type } } as never), undefined)
  assert.equal(callOf({ method: 'GET', headers: { 'content-type': 'application/grpc' } } as never), undefined)
})
