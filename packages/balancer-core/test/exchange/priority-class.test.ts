import Fastify, { type FastifyRequest, type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { parseOptions, type BalancerOptions } from '../../src/options.ts'
import { classOf } from '../../src/exchange/priority-class.ts'

type Priority = Exclude<NonNullable<BalancerOptions['queue']>, boolean>['priority']

const classes = ['high', 'normal', 'low']

/** Asks as a client, and returns its class and what was logged. */
async function classed(
  t: TestContext,
  given: Priority,
  headers: Record<string, string>,
  server: FastifyServerOptions = {},
) {
  const { priority } = parseOptions({ queue: { priority: given! } }).queue
  const logged: string[] = []
  const stream = { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) }
  const app = Fastify({ ...server, logger: { level: 'error', stream } })
  t.after(() => app.close())
  app.get('/', (request: FastifyRequest) => ({ name: classOf(request, priority) ?? null }))
  const answer = await app.inject({ url: '/', headers })
  return { name: answer.json<{ name: string | null }>().name, logged }
}

const byHeader = { classes, default: 'normal', header: 'X-Priority' }

test('without classes there is none', async (t) => {
  assert.deepEqual(await classed(t, {}, { 'x-priority': 'high' }), { name: null, logged: [] })
})

test('no client promotes itself by a header, but any may step back', async (t) => {
  for (const [asked, expected] of [
    ['high', 'normal'],
    ['normal', 'normal'],
    ['low', 'low'],
    ['LOW', 'normal'],
    ['high, low', 'normal'],
    ['', 'normal'],
  ] as const)
    assert.equal((await classed(t, byHeader, { 'x-priority': asked })).name, expected, asked)
  assert.equal((await classed(t, byHeader, {})).name, 'normal')
})

test('a peer trusted by trustProxy may name any class', async (t) => {
  const headers = { 'x-priority': 'high' }
  assert.equal((await classed(t, byHeader, headers, { trustProxy: true })).name, 'high')
  assert.equal((await classed(t, byHeader, headers, { trustProxy: '10.9.8.7' })).name, 'normal')
})

test('what the operator says comes first, and leaves the rest to the header', async (t) => {
  const classify = ({ headers }: FastifyRequest) => (headers.authorization === undefined ? undefined : 'high')
  const given = { ...byHeader, classify }
  assert.equal((await classed(t, given, { authorization: 'x', 'x-priority': 'low' })).name, 'high')
  assert.equal((await classed(t, given, { 'x-priority': 'low' })).name, 'low')
  assert.equal((await classed(t, { classes, default: 'low', classify }, {})).name, 'low')
})

test('a function that fails is logged, and the header decides', async (t) => {
  const threw = 'queue.priority.classify threw an error'
  const unknown = 'queue.priority.classify returned a class that is not in queue.priority.classes'
  for (const [classify, logged] of [
    [() => assert.fail('broken'), [threw]],
    [() => 'urgent', [unknown]],
    [async () => assert.fail('async by mistake'), [unknown, threw]],
  ] as const) {
    const given = { ...byHeader, classify: classify as () => string }
    const answer = await classed(t, given, { 'x-priority': 'low' })
    assert.deepEqual(answer, { name: 'low', logged })
  }
})
