import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask as askUrl } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import { watchBalancers } from '../../src/events/sources.ts'
import type { EventDraft } from '../../src/events/event.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'

const at = 9

/** What an event says, in one line. */
function lineOf(event: EventDraft): string {
  if (event.type === 'admin') return `admin: ${event.text}`
  if (event.type === 'circuit') return `circuit ${event.backend}: ${event.before} → ${event.state} (${event.reason})`
  if (event.type === 'state') return `state ${event.backend}: ${event.before} → ${event.state} for ${event.who}`
  if (event.type === 'backends') return `backends: changed ${event.changed!.join()}`
  if (event.type === 'panic') return event.text
  return event.type === 'veto' ? `veto ${event.backend}: ${event.action} by ${event.by}` : event.type
}

/** Three backends that answer 503 while `broken` has their id; orders by `maria`, where there is no other operator. */
async function stage(t: TestContext, admin: AdminRoutesOptions = {}, options: BalancerOptions = {}) {
  const clock = new ManualClock(5000)
  const log = new LogLines()
  const broken = new Set<string>()
  const backends = await Promise.all(
    ['a', 'b', 'c'].map(async (id) => ({
      id,
      url: (await startBackend(t, (_request, response) => void response.writeHead(broken.has(id) ? 503 : 200).end(id)))
        .url,
    })),
  )
  const app = Fastify({ logger: log })
  app.decorateRequest('user', '')
  await app.register(balancer, { backends, clock, retry: false, ...options })
  await app.register(circuitBreaker, { jitter: 0 })
  const sign = async (request: { headers: Record<string, unknown> }) => {
    const { 'x-user': id } = request.headers
    if (id === 'nobody') throw Object.assign(new Error('who are you?'), { statusCode: 401 })
    Object.assign(request, { user: { id: id ?? 'maria' } })
  }
  await app.register(adminRoutes, { onRequest: sign as never, ...admin })
  const events: EventDraft[] = []
  t.after(
    watchBalancers(
      app,
      () => at,
      (event) => events.push(event),
    ),
  )
  const { url } = await listenApp(t, app)
  const order = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await askUrl(`${url}/_balancer/balancers/default${path}`, {
      method,
      headers: { ...type, ...headers },
      ...(text !== undefined && { body: text }),
    })
    return answer.status
  }
  /** All that has been told since it was last asked. */
  const told = () => {
    void app.balancer.set
    return events.splice(0).map(lineOf)
  }
  return { app, url, clock, log, broken, backends, events, order, told }
}

describe('an operator’s order is one event', () => {
  test('a drain, maintenance, and back', async (t) => {
    const { order, told } = await stage(t)
    await order('PUT', '/backends/b/state', { state: 'drain' })
    assert.deepEqual(told(), ['admin: maria set b: ready → drain (deadline 30 s)'])
    await order('PUT', '/backends/b/state', { state: 'drain', deadline: 5000 })
    assert.deepEqual(told(), ['admin: maria set b: drain → drain (deadline 5 s)'])
    await order('PUT', '/backends/b/state', { state: 'maintenance' })
    assert.deepEqual(told(), ['admin: maria set b: drain → maintenance'])
    await order('PUT', '/backends/b/state', { state: 'drain' })
    assert.deepEqual(told(), ['admin: maria set b: maintenance → drain (deadline 30 s)'])
    await order('PUT', '/backends/b/state', { state: 'ready' })
    assert.deepEqual(told(), ['admin: maria set b: drain → ready'])
    await order('PUT', '/backends/b/state', { state: 'ready' })
    assert.deepEqual(told(), [])
  })

  test('a change of a backend, and of the list', async (t) => {
    const { order, told, backends } = await stage(t)
    await order('PATCH', '/backends/b', { weight: 50 })
    assert.deepEqual(told(), ['admin: maria changed b: weight 1 → 50'])
    await order('DELETE', '/backends/c?deadline=1000')
    assert.deepEqual(told(), ['admin: maria removed c (revision 3, deadline 1 s)'])
    await order('POST', '/backends', { id: 'd', url: backends[2]!.url })
    assert.deepEqual(told(), ['admin: maria added d (revision 4)'])
    await order('PUT', '/backends', { backends: backends.slice(0, 2) })
    assert.deepEqual(told(), [
      'admin: maria replaced the backends of balancer default (revision 5): removed d, changed b',
    ])
    await order('POST', '/rollback', { revision: 1 })
    assert.deepEqual(told(), ['admin: maria rolled back the backends of balancer default (revision 6): added c'])
  })

  test('a circuit that is held, and released; that a hold has expired is news', async (t) => {
    const { order, told, clock } = await stage(t)
    await order('PUT', '/backends/a/circuit', { state: 'open', ttl: 60_000, reason: 'new disks' })
    assert.deepEqual(told(), ['admin: maria set the circuit of a: closed → isolated (for 60 s: new disks)'])
    clock.advance(60_000)
    assert.deepEqual(told(), ['circuit a: isolated → closed (the hold has expired)'])
    await order('PUT', '/backends/a/circuit', { state: 'open' })
    await order('PUT', '/backends/a/circuit', { state: 'auto' })
    assert.deepEqual(told(), [
      'admin: maria set the circuit of a: closed → isolated',
      'admin: maria released the circuit of a: isolated → closed',
    ])
  })

  test('what follows from it is news', async (t) => {
    const { order, told, app } = await stage(t)
    for (const id of ['a', 'b']) app.balancer.veto(app.balancer.backend(id), { by: 'me', reason: 'r' })
    assert.deepEqual(told(), ['veto a: laid by me', 'veto b: laid by me'])
    await order('PUT', '/backends/c/state', { state: 'drain' })
    assert.deepEqual(told(), [
      'panic mode: 0 of 3 backends are healthy, 2 are used',
      'admin: maria set c: ready → drain (deadline 30 s)',
    ])
  })
})

describe('a change that nobody ordered is one event', () => {
  test('a circuit that opens, is tried and closes', async (t) => {
    const { told, url, broken, clock } = await stage(t)
    broken.add('a')
    // Three failures of a, in turn with the others.
    for (let turn = 0; turn < 9; turn++) await askUrl(url)
    assert.deepEqual(told(), ['circuit a: closed → open (3 failures in a row, at most 10 s apart)'])
    broken.clear()
    clock.advance(10_000)
    assert.deepEqual(told(), ['circuit a: open → half-open (was open for 10 s)'])
    for (let turn = 0; turn < 3; turn++) await askUrl(url)
    assert.deepEqual(told(), ['circuit a: half-open → closed (a trial succeeded)'])
  })

  test('what the app does to a backend or the list', async (t) => {
    const { app, told } = await stage(t)
    await app.balancer.drain('a', { who: 'a program' })
    assert.deepEqual(told(), ['state a: ready → drain for a program'])
    await app.balancer.update('b', { weight: 3 })
    assert.deepEqual(told(), ['backends: changed b'])
  })

  test('a drain beneath a maintenance, which no state shows', async (t) => {
    const { app, told } = await stage(t)
    await app.balancer.maintain('a')
    assert.deepEqual(told(), ['state a: ready → maintenance for undefined'])
    void app.balancer.drain('a')
    assert.deepEqual(told(), ['veto a: laid by drain'])
  })
})

describe('an order that is refused is one event and one line of the log', () => {
  const refusedIn = ({ log }: { readonly log: LogLines }) =>
    log.all.flatMap(({ change, msg, level }) =>
      (change as { refused?: object } | undefined)?.refused === undefined ? [] : [`${level} ${msg}`],
    )

  test('with its status and why', async (t) => {
    const one = await stage(t)
    const { order, told, events } = one
    assert.equal(await order('PATCH', '/backends/b', { weight: -1 }), 400)
    const [event] = events as { type: string; refused?: Record<string, unknown>; text?: string; who?: string }[]
    assert.deepEqual(event, {
      type: 'admin',
      who: 'maria',
      what: 'backend.update',
      balancer: 'default',
      backend: 'b',
      at: (event as { at?: number } | undefined)?.at,
      text: 'maria tried to change b, refused (400): Bad request: weight: expected a whole number from 1 to 65535, got -1',
      refused: {
        statusCode: 400,
        code: 'FST_BALANCER_ADMIN_BAD_REQUEST',
        message: 'Bad request: weight: expected a whole number from 1 to 65535, got -1',
        faults: ['weight: expected a whole number from 1 to 65535, got -1'],
      },
    })
    told()
    assert.equal(await order('PATCH', '/backends/b', { weight: 2 }, { 'if-match': '"7"' }), 412)
    assert.equal(await order('PUT', '/backends', { backends: [] }), 409)
    assert.equal(await order('PUT', '/backends/b/state', { state: 'asleep' }), 400)
    assert.equal(await order('PUT', '/backends/b/state', '{"state":'), 400)
    assert.equal(await order('POST', '/rollback', { revision: 99 }), 404)
    const lines = told()
    assert.deepEqual(
      lines.map((line) => line.replace(/\): .*/, ')')),
      [
        'admin: maria tried to change b, refused (412)',
        'admin: maria tried to replace the backends of balancer default, refused (409)',
        'admin: maria tried to set b to asleep, refused (400)',
        'admin: maria tried to set b, refused (400)',
        'admin: maria tried to roll back the backends of balancer default, refused (404)',
      ],
    )
    assert.deepEqual(
      refusedIn(one),
      [`admin: ${event?.text}`, ...lines].map((line) => line.replace('admin:', '40')),
    )
  })

  test('not of somebody who is not signed in, nor of what there is not, nor of a question', async (t) => {
    const one = await stage(t)
    const { order, told } = one
    assert.equal(await order('PATCH', '/backends/b', { weight: -1 }, { 'x-user': 'nobody' }), 401)
    assert.equal(await order('PATCH', '/backends/b', { weight: 2 }, { origin: 'https://evil.example' }), 403)
    assert.equal(await order('PATCH', '/backends/zzz', { weight: 2 }), 404)
    assert.equal(await order('PUT', '/backends?dryRun=true', { backends: 'none' }), 400)
    assert.equal(await order('GET', '?x=1'), 400)
    assert.deepEqual([told(), refusedIn(one)], [[], []])
  })

  test('a hook that needs the body has not let it pass yet', async (t) => {
    const admit = async () => {}
    const one = await stage(t, { onRequest: [], preHandler: admit })
    assert.equal(await one.order('PUT', '/backends/b/state', '{'), 400)
    assert.deepEqual(one.told(), [])
    assert.equal(await one.order('PUT', '/backends/b/state', {}), 400)
    assert.equal(one.told().length, 1)
  })

  test('what is in force and was not saved is told as both', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'admin-once-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const { order, told } = await stage(t, { persist: join(folder, 'lists.json') })
    rmSync(folder, { recursive: true })
    assert.equal(await order('PATCH', '/backends/b', { weight: 2 }), 507)
    assert.deepEqual(
      told().map((line) => line.replace(/ \(ENOENT\)| could not .*/, '')),
      [
        'admin: maria changed b: weight 1 → 2',
        'admin: maria tried to change b, not saved (507): The change is in force but',
      ],
    )
  })
})
