import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { actionsFor, backendIntent, probeText, type ActionKind } from '../../page/actions/actions.ts'
import { addIntent } from '../../page/actions/add-intent.ts'
import { earlierRevisions, rollbackIntent } from '../../page/actions/rollback-intent.ts'
import { ApiError } from '../../page/api/api-error.ts'
import { Api } from '../../page/api/api.ts'
import type { BackendView } from '../../page/api/views.ts'
import { Confirmation } from '../../page/orders/confirmation.ts'
import { backendView, balancerView } from './told.ts'

/** A backend as many are named: by its origin. Real admin routes, asked as the page asks them. */
async function stage(t: TestContext, { whole = true } = {}) {
  const { url } = await startBackend(t)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { name: 'a/b c', backends: [url] })
  if (whole) {
    await app.register(healthCheck, { balancer: 'a/b c', interval: 60_000 })
    await app.register(circuitBreaker, { balancer: 'a/b c' })
  }
  await app.register(adminRoutes, { insecure: true })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const api = new Api(new URL('/_balancer/', origin))
  const view = () => api.balancer('a/b c')
  const run = async (kind: ActionKind, entered: Readonly<Record<string, string>> = {}, revision?: number) => {
    const now = await view()
    const intent = backendIntent(kind, { view: now, backend: now.backends[0]! })
    const told = await intent.run(api, new Confirmation(entered, { revision: revision ?? now.revision }))
    return told.replace(`${url} `, '')
  }
  return { app, api, view, run, url }
}

test('each action does what it says, and says what has come of it', async (t) => {
  const { view, run, app } = await stage(t)
  const backend = async () => (await view()).backends[0]!
  assert.equal(await run('drain', { deadline: '2.5' }), 'is draining.')
  assert.equal((await backend()).state, 'drain')
  assert.equal(await run('deadline', { deadline: '60' }), 'has a new deadline.')
  assert.equal(await run('maintenance'), 'is in maintenance.')
  assert.equal((await backend()).state, 'maintenance')
  assert.equal(await run('ready'), 'is ready.')
  assert.equal((await backend()).state, 'ready')
  assert.equal(await run('weight', { weight: '7' }), 'now has weight 7.')
  assert.equal(app.balancers.get('a/b c')!.backends[0]!.weight, 7)
  assert.equal(await run('open', { ttl: '60', reason: ' slow since 14:00 ' }), 'now has an open circuit.')
  assert.equal((await backend()).available, false)
  assert.equal((await backend()).circuit!.reason, 'held open: slow since 14:00')
  assert.equal(await run('close'), 'now has a closed circuit.')
  assert.equal(await run('auto'), 'now has a closed circuit.')
  assert.match(await run('probe'), /^was probed: good \(HEAD http:\/\/127\.0\.0\.1:\d+\/ → .*200.*, [\d.]+ ms\)\.$/)
})

test('a probe that does not count is shown as inconclusive', () => {
  const received = 'connect EMFILE: this process is out of sockets'
  const probe = { good: false, at: 0, sent: 'HEAD http://a/', received, timings: { took: 1 } } as const
  assert.equal(
    probeText({ ...probe, inconclusive: 'out-of-sockets' }),
    `inconclusive, does not count (HEAD http://a/ → ${received}, 1.0 ms)`,
  )
  assert.match(probeText(probe), /^bad \(/)
})

test('a weight is set only while the list is as the operator has seen it', async (t) => {
  const { view, run } = await stage(t)
  const { revision } = await view()
  await run('weight', { weight: '2' })
  await assert.rejects(run('weight', { weight: '3' }, revision), (error: ApiError) => {
    assert.equal(error.status, 412)
    assert.match(error.message, /revision/)
    assert.equal(error.current?.revision, revision + 1)
    assert.equal(error.current?.backends[0]?.weight, 2)
    return true
  })
  assert.equal((await view()).backends[0]!.weight, 2)
})

test('what is refused says why, and names every fault', async (t) => {
  const { api, run } = await stage(t)
  await assert.rejects(run('weight', { weight: '0' }), (error: ApiError) => {
    assert.equal(error.status, 400)
    assert.equal(error.faults.length, 1)
    assert.match(error.faults[0]!, /weight/)
    return true
  })
  await assert.rejects(api.balancer('none'), { status: 404, message: "There is no balancer 'none'" })
})

test('a server that is away is told from one that refuses', async () => {
  const api = new Api(new URL('http://127.0.0.1:1/'))
  await assert.rejects(api.balancers(), (error: ApiError) => error instanceof ApiError && error.status === 0)
})

const labels = (backend: BackendView) => actionsFor(backend).map(([, { label }]) => label)

test('circuits and probes are offered only where there are any', async (t) => {
  const offered = async (whole: boolean) => labels((await (await stage(t, { whole })).view()).backends[0]!)
  assert.deepEqual(await offered(false), ['Drain', 'Put in maintenance', 'Set weight', 'Remove'])
  assert.deepEqual(await offered(true), [
    'Drain',
    'Put in maintenance',
    'Set weight',
    'Open circuit',
    'Probe now',
    'Remove',
  ])
})

test('only what makes sense in its state is offered', () => {
  const offered = (rest: Partial<BackendView>) =>
    labels(backendView('a', rest)).filter((label) => !['Set weight', 'Remove'].includes(label))
  assert.deepEqual(offered({ state: 'drain' }), ['Back to ready', 'Change deadline', 'Put in maintenance'])
  assert.deepEqual(offered({ state: 'maintenance' }), ['Back to ready'])
  const circuit = (state: string, reason = '') => offered({ circuit: { state, since: 0, reason } }).slice(2)
  assert.deepEqual(circuit('closed'), ['Open circuit'])
  assert.deepEqual(circuit('open'), ['Close circuit'])
  assert.deepEqual(circuit('half-open'), ['Open circuit', 'Close circuit'])
  assert.deepEqual(circuit('isolated'), ['Close circuit', 'Release circuit'])
  const known = { state: 'closed', since: 0, reason: 'noise', who: 'maria' }
  assert.deepEqual(offered({ circuit: known }).slice(2), ['Open circuit', 'Release circuit'])
  assert.deepEqual(circuit('closed', 'held closed by an operator'), ['Open circuit', 'Release circuit'])
})

test('a probe is not offered where only outliers are watched', () => {
  const health = { state: 'unknown', since: 0, consecutive: 0 }
  const notEjected = { reason: 'maxEjected', since: 0 }
  const took = { good: true, at: 0, sent: '', received: '', timings: { took: 1 } }
  const isOffered = (rest: object) => labels(backendView('a', { health: { ...health, ...rest } })).includes('Probe now')
  assert.deepEqual(
    [isOffered({}), isOffered({ notEjected }), isOffered({ notEjected, lastProbe: took })],
    [true, false, true],
  )
})

test('a circuit that the page holds closed, for a reason, can be released again', async (t) => {
  const { view, run } = await stage(t)
  await run('open')
  await run('close', { reason: 'known noise' })
  const [backend] = (await view()).backends
  assert.equal(backend!.circuit!.reason, 'held closed: known noise')
  assert.ok(labels(backend!).includes('Release circuit'))
  await run('auto')
  assert.equal(labels((await view()).backends[0]!).includes('Release circuit'), false)
})

test('a dialog says what becomes of requests in flight and tunnels, by the deadline that would apply', () => {
  const points = (kind: ActionKind, rest: Partial<BackendView>, entered: Readonly<Record<string, string>> = {}) => {
    const backend = backendView('b1', rest)
    const intent = backendIntent(kind, { backend, view: balancerView('api', 'b1', 'b2') })
    return intent.points?.(new Confirmation(entered))
  }
  assert.deepEqual(points('drain', {}), ['No requests are in flight now.'])
  assert.deepEqual(points('drain', { inFlight: 12, tunnels: 3 }), [
    '12 requests in flight may finish within 30 s; then they are aborted.',
    '3 tunnels (WebSocket and the like) may stay open for 30 s; then they are closed.',
  ])
  assert.deepEqual(points('remove', { inFlight: 1, tunnels: 1 }, { deadline: '2.5' }), [
    'The request in flight may finish within 2.5 s; then it is aborted.',
    '1 tunnel (WebSocket and the like) may stay open for 2.5 s; then it is closed.',
  ])
  assert.deepEqual(points('drain', { inFlight: 2, tunnels: 1 }, { deadline: '0' }), [
    '2 requests in flight may finish, however long that takes.',
    '1 tunnel (WebSocket and the like) may stay open until their clients close them.',
  ])
  assert.deepEqual(points('maintenance', { inFlight: 1, tunnels: 2 }), [
    'The request in flight is aborted at once.',
    '2 tunnels (WebSocket and the like) are closed at once.',
  ])
})

test('a dialog warns of what would leave nobody to ask', () => {
  const veto = (hard: boolean) => ({ by: 'x', reason: 'y', hard, since: 0 })
  const warning = (other: Partial<BackendView>, own: Partial<BackendView> = {}) => {
    const backend = backendView('b1', own)
    const view = { ...balancerView('api'), backends: [backend, backendView('b2', other)] }
    return backendIntent('drain', { backend, view }).warning
  }
  assert.equal(warning({}), undefined)
  assert.match(warning({ available: false, vetoes: [veto(true)] })!, /last backend in rotation.*503/)
  assert.match(warning({ available: false, vetoes: [veto(false)] })!, /only healthy backend.*panic mode/)
  assert.equal(
    warning({ available: false, vetoes: [veto(false)] }, { available: false, vetoes: [veto(false)] }),
    undefined,
  )
})

test('a backend is added as it was entered, and every fault of it is named', async (t) => {
  const { api, view } = await stage(t)
  const { url } = await startBackend(t)
  const add = async (entered: Readonly<Record<string, string>>) =>
    addIntent(await view()).run(api, new Confirmation(entered))
  const entered = { url, id: 'b2', weight: '3', priority: '1', maxInFlight: '9', zone: 'eu', tags: 'canary, ,v2' }
  assert.equal(await add(entered), 'b2 is added.')
  const { id, weight, priority, maxInFlight, zone, tags } = (await view()).backends[1]!
  assert.deepEqual(
    { id, weight, priority, maxInFlight, zone, tags },
    { id: 'b2', weight: 3, priority: 1, maxInFlight: 9, zone: 'eu', tags: ['canary', 'v2'] },
  )
  await assert.rejects(add({ url: 'ftp://x/y', id: 'b2', weight: '0' }), (error: ApiError) => {
    assert.equal(error.status, 400)
    assert.equal(error.faults.length, 3, error.faults.join('; '))
    return true
  })
})

test('a backend is removed, the last one only if the operator insists', async (t) => {
  const { api, view, run } = await stage(t)
  const { url } = await startBackend(t)
  await addIntent(await view()).run(api, new Confirmation({ url, id: 'b2' }))
  assert.equal(await run('remove', { deadline: '1' }), 'is removed.')
  const now = await view()
  const intent = backendIntent('remove', { view: now, backend: now.backends[0]! })
  await assert.rejects(intent.run(api, new Confirmation({})), { status: 409 })
  assert.equal(await intent.run(api, new Confirmation({}, { isForced: true })), 'b2 is removed.')
  assert.deepEqual((await view()).backends, [])
})

test('a rollback restores an earlier list, unless that was changed meanwhile', async (t) => {
  const { api, view, run } = await stage(t)
  await run('weight', { weight: '7' })
  const seen = await view()
  const [earlier] = earlierRevisions(seen)
  assert.equal(earlier!.revision, seen.revision - 1)
  const preview = await api.previewRollback(seen.name, earlier!.revision)
  assert.deepEqual([preview.changed[0]!.from.weight, preview.changed[0]!.to.weight], [7, 1])
  const roll = (revision: number) =>
    rollbackIntent(seen, earlier!.revision).run(api, new Confirmation({}, { revision }))
  await assert.rejects(roll(earlier!.revision), { status: 412 })
  assert.match(await roll(seen.revision), /^The list is that of revision \d+ again, as revision \d+\.$/)
  assert.equal((await view()).backends[0]!.weight, 1)
})

test('a request is explained as it was described', async (t) => {
  const { api, url } = await stage(t)
  const answer = await api.explain('a/b c', { method: 'GET', url: '/x', headers: { cookie: ['a', 'b'] } })
  assert.equal(answer.picked, url)
  assert.deepEqual(
    answer.backends.map(({ id }) => id),
    [url],
  )
})

test('an answer that leads to another page, to sign in there, is as good as a refusal', async (t) => {
  const { url } = await startBackend(t, (_request, response) => {
    response.writeHead(302, { location: '/login' })
    response.end()
  })
  await assert.rejects(new Api(new URL('/_balancer/', url)).balancers(), { status: 401 })
})
