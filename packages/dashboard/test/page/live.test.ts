import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ApiError } from '../../page/api/api-error.ts'
import type { Api } from '../../page/api/api.ts'
import type { Range } from '../../page/history/range.ts'
import { Live } from '../../page/live/live.ts'
import { balancerState } from '../../page/live/state.ts'
import { Store } from '../../page/live/store.ts'
import type { BalancersView, ServerView } from '../../page/api/views.ts'
import { balancerSummary, balancerView, figures, historyView } from './told.ts'

/** Stands in for the browser's: it does nothing by itself. */
class FakeSource extends EventTarget {
  static readonly all: FakeSource[] = []

  constructor() {
    super()
    FakeSource.all.push(this)
  }

  close(): void {}
}

/** What Live asks is answered when the test says so, and time passes when it says so. */
function stage(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let time = 1000
  t.mock.method(performance, 'now', () => time)
  const real = globalThis.EventSource
  globalThis.EventSource = FakeSource as unknown as typeof EventSource
  t.after(() => {
    globalThis.EventSource = real
  })
  const asked: string[] = []
  let lists: () => Promise<BalancersView> = async () => ({ balancers: [] })
  let server: () => Promise<ServerView> = async () => ready
  let operator: () => Promise<unknown> = async () => ({})
  const api = {
    url: () => new URL('http://127.0.0.1/_balancer/events'),
    operator: () => (asked.push('operator'), operator()),
    balancers: () => (asked.push('balancers'), lists()),
    balancer: async (name: string) => (asked.push(name), balancerView(name)),
    server: () => (asked.push('server'), server()),
    history: async (name: string, range: string) => (asked.push(`${range} of ${name}`), historyView(100, 3)),
    instances: async () => ({ self: 'one', instances: [] }),
    failures: async (name: string, limit: number) => (asked.push(`${limit} failures of ${name}`), { failures: [] }),
  } as unknown as Api
  const store = new Store()
  const live = new Live(api, store)
  live.start()
  return {
    store,
    live,
    asked,
    answer: (next: { lists?: typeof lists; server?: typeof server; operator?: typeof operator }) => {
      lists = next.lists ?? lists
      server = next.server ?? server
      operator = next.operator ?? operator
    },
    /** The stream begins, perhaps anew. */
    open: () => FakeSource.all.at(-1)!.dispatchEvent(new Event('open')),
    /** An event arrives. */
    tell: (type: string, data: object) =>
      FakeSource.all
        .at(-1)!
        .dispatchEvent(new MessageEvent(type, { data: JSON.stringify({ id: '1', at: 0, type, ...data }) })),
    /** Figures arrive. */
    figures: (failed: number, balancer = 'api') =>
      FakeSource.all
        .at(-1)!
        .dispatchEvent(new MessageEvent('figures', { data: JSON.stringify(figures(0, { failed, balancer })) })),
    /** Answers how often it was asked meanwhile. */
    pass: async (ms: number) => {
      asked.length = 0
      time += ms
      t.mock.timers.tick(ms)
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      return asked.filter((what) => what === 'server').length
    },
  }
}

const ready: ServerView = { state: 'ready', closesConnections: false, exchanges: 0, tunnels: 0, idle: true }
const draining: ServerView = { state: 'drain', closesConnections: false, exchanges: 2, tunnels: 0, idle: false }

test('the server is asked for together with the lists, before either has answered', async (t) => {
  const { store, asked, pass, answer } = stage(t)
  answer({ lists: () => new Promise(() => {}), server: () => new Promise(() => {}) })
  await pass(0)
  assert.deepEqual(asked, ['balancers', 'server'])
  assert.equal(store.state.server, undefined)
})

test('an order about the server is heard of, and asked about', async (t) => {
  const { store, pass, tell, answer } = stage(t)
  await pass(0)
  assert.equal(store.state.server, ready)
  answer({ server: async () => draining })
  assert.equal(await pass(1000), 0)
  tell('admin', { what: 'server.state', before: 'ready', after: 'drain' })
  assert.equal(await pass(0), 1)
  assert.equal(store.state.server, draining)
})

test('without an event it asks after five seconds, while the server drains after one', async (t) => {
  const { store, pass, answer } = stage(t)
  await pass(0)
  assert.equal(await pass(4999), 0)
  answer({ server: async () => draining })
  assert.equal(await pass(1), 1)
  assert.equal(await pass(999), 0)
  answer({ server: async () => ({ ...draining, exchanges: 0, tunnels: 0, idle: true }) })
  assert.equal(await pass(1), 1)
  assert.equal(store.state.server!.idle, true)
  answer({ server: async () => ready })
  assert.equal(await pass(1000), 1)
  assert.equal(await pass(4999), 0)
  assert.equal(await pass(1), 1)
})

test('a server that does not answer for itself is the same trouble as lists that are not answered', async (t) => {
  const { store, pass, answer } = stage(t)
  const trouble = () => store.state.trouble
  answer({ server: () => Promise.reject(new ApiError(503, { message: 'not now' })) })
  await pass(0)
  assert.deepEqual(trouble(), { kind: 'refused', message: 'not now' })
  answer({ server: async () => draining })
  await pass(5000)
  assert.equal(trouble(), undefined)
  // What was known last is shown meanwhile.
  answer({ lists: () => Promise.reject(new ApiError(0, { message: 'away' })) })
  await pass(1000)
  assert.equal(trouble()?.kind, 'unreachable')
  assert.equal(store.state.server, draining)
})

const busy = () => Promise.reject(new ApiError(429, { message: 'slow down' }))

test('who may act is not known while that is not answered, and is asked again with everything else', async (t) => {
  const { store, asked, pass, open, answer } = stage(t)
  answer({ operator: busy })
  open()
  await pass(0)
  assert.equal(store.state.access, 'unknown')
  answer({ operator: () => Promise.reject(new ApiError(0, { message: 'away' })) })
  await pass(5000)
  assert.deepEqual(asked, ['operator', 'balancers', 'server'])
  assert.equal(store.state.access, 'unknown')
  answer({ operator: async () => ({}) })
  await pass(5000)
  assert.equal(store.state.access, 'operator')
  await pass(5000)
  assert.deepEqual(asked, ['balancers', 'server'])
})

for (const status of [401, 403]) {
  test(`who is answered ${status} is a viewer, and stays one while it is not answered otherwise`, async (t) => {
    const { store, asked, pass, open, answer } = stage(t)
    answer({ operator: () => Promise.reject(new ApiError(status, { message: 'operators only' })) })
    open()
    await pass(0)
    assert.equal(store.state.access, 'viewer')
    await pass(5000)
    assert.deepEqual(asked, ['balancers', 'server'])
    answer({ operator: busy })
    open()
    await pass(0)
    assert.equal(store.state.access, 'viewer')
    answer({ operator: async () => ({}) })
    await pass(5000)
    assert.equal(store.state.access, 'operator')
  })
}

test('an operator stays one while that is not answered', async (t) => {
  const { store, pass, open, answer } = stage(t)
  open()
  await pass(0)
  assert.equal(store.state.access, 'operator')
  answer({ operator: () => Promise.reject(new ApiError(500, { message: 'oh' })) })
  open()
  await pass(0)
  await pass(5000)
  assert.equal(store.state.access, 'operator')
  answer({ operator: () => Promise.reject(new ApiError(403, { message: 'not any more' })) })
  await pass(5000)
  assert.equal(store.state.access, 'viewer')
})

const api = async (): Promise<BalancersView> => ({ balancers: [balancerSummary('api'), balancerSummary('other')] })

test('the past and the failed requests are asked for as soon as a balancer is shown, and when another is', async (t) => {
  const { live, asked, pass, answer } = stage(t)
  answer({ lists: api })
  await pass(0)
  await pass(1000)
  assert.deepEqual(asked, ['5m of api', '20 failures of api'])
  live.choose('other')
  await pass(0)
  await pass(1000)
  assert.deepEqual(asked.toSorted(), ['20 failures of other', '5m of other'])
})

test('the past is asked for again after a period, at the latest after a minute; of another range at once', async (t) => {
  const { store, live, asked, pass, answer } = stage(t)
  answer({ lists: api })
  const isAsked = (range: Range) => asked.filter((what) => what === `${range} of api`).length
  await pass(0)
  await pass(250)
  assert.equal(isAsked('5m'), 1)
  await pass(9999)
  assert.equal(isAsked('5m'), 0)
  await pass(1)
  assert.equal(isAsked('5m'), 1)
  assert.equal(balancerState(store.state, 'api').past!.points.length, 3)
  live.look('24h')
  await pass(250)
  assert.equal(isAsked('24h'), 1)
  assert.equal(balancerState(store.state, 'api').past!.range, '24h')
})

test('failed requests are asked for while there are any, once a second', async (t) => {
  const { asked, pass, answer, figures: tell } = stage(t)
  answer({ lists: api })
  const isAsked = () => asked.filter((what) => what === '20 failures of api').length
  await pass(0)
  await pass(1000)
  assert.equal(isAsked(), 1)
  tell(0)
  tell(1, 'other')
  await pass(5000)
  assert.equal(isAsked(), 0)
  tell(1)
  tell(1)
  await pass(0)
  assert.equal(isAsked(), 1)
  tell(2)
  await pass(999)
  assert.equal(isAsked(), 0)
  await pass(1)
  assert.equal(isAsked(), 1)
})
