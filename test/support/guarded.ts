import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { ask, type Answer } from './ask.ts'
import { digestOf, startFront, type Echo, type FrontOptions } from './front.ts'
import { rawClient } from './raw.ts'

/** Where an app can check who asks. */
export const positions = ['onRequest', 'preParsing', 'preHandler'] as const
export type Position = (typeof positions)[number]

/** A check as plugins offer it. */
export type Guard = (
  this: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => unknown

/** Checks every request of the app in this position. */
export function addGuard(app: FastifyInstance, position: Position, guard: Guard): void {
  // The one hook with another shape.
  if (position === 'preParsing')
    app.addHook(position, (request, reply, _payload, done) => void guard.call(app, request, reply, done))
  else app.addHook(position as 'onRequest', (request, reply, done) => void guard.call(app, request, reply, done))
}

/**
 * Keeps its connections, so that an answer is not lost when it comes before the upload has ended. To be made before the
 * front: what is made first is closed first.
 */
export function keepAliveAgent(t: TestContext): Agent {
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  return agent
}

/** What the guard of a front is to do. */
export interface Expectation {
  /** Header fields of somebody who may pass. */
  readonly admitted: Record<string, string>
  /** How others are answered; 401 without it. */
  readonly status?: number
  /** Looks at one refusal of a GET. */
  readonly refusal?: (answer: Answer) => void
}

const streamed = ['one ', 'two ', 'three']
const large = randomBytes(3 << 20)

/**
 * Whoever is refused, with whatever method and body, has not been heard of by the backend, and is not told to send the
 * body it waits with; whoever is admitted gets through, body and all.
 */
export async function assertGuarded(t: TestContext, options: FrontOptions, expected: Expectation): Promise<void> {
  const { admitted, status = 401 } = expected
  const agent = keepAliveAgent(t)
  const front = await startFront(t, options)
  const { backend } = front
  const path = `${options.scope ?? ''}/thing`
  const url = `${front.url}${path}`
  const waiting = (extra: Record<string, string>) =>
    Object.entries({ host: 'a', expect: '100-continue', 'content-length': '5', ...extra }).reduce(
      (head, [name, value]) => `${head}${name}: ${value}\r\n`,
      `POST ${path} HTTP/1.1\r\n`,
    ) + '\r\n'

  const refusals = [
    await ask(url, { agent }),
    await ask(url, { agent, method: 'HEAD' }),
    await ask(url, { agent, method: 'POST', body: Readable.from(streamed) }),
    await ask(url, { agent, method: 'PUT', body: large, headers: { 'content-type': 'application/json' } }),
  ]
  assert.deepEqual(
    refusals.map((answer) => ({ status: answer.status, whole: answer.whole })),
    refusals.map(() => ({ status, whole: true })),
  )
  expected.refusal?.(refusals[0]!)
  const refused = await rawClient(t, front.port)
  refused.send(waiting({ connection: 'close' }))
  assert.match(await refused.closed(), new RegExp(`^HTTP/1\\.1 ${status} `))
  front.assertUntouched()

  const got = await ask(url, { agent, headers: admitted })
  const posted = await ask(url, { agent, headers: admitted, method: 'POST', body: Readable.from(streamed) })
  const put = await ask(url, { agent, headers: admitted, method: 'PUT', body: large })
  assert.deepEqual([got.status, posted.status, put.status], [200, 200, 200])
  assert.equal((JSON.parse(posted.body) as Echo).digest, digestOf(streamed.join('')))
  assert.equal((JSON.parse(put.body) as Echo).digest, digestOf(large))

  const welcome = await rawClient(t, front.port)
  welcome.send(waiting({ ...admitted, connection: 'close' }))
  await welcome.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
  welcome.send('hello')
  assert.match(await welcome.closed(), new RegExp(` 200 OK\r\n[^]*${digestOf('hello')}`))
  assert.deepEqual(
    backend.received.map(({ method }) => method),
    ['GET', 'POST', 'PUT', 'POST'],
  )
}
