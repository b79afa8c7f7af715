import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedEvent } from '../../page/live/events.ts'
import { fold, type News } from '../../page/live/fold.ts'
import { balancerState, initialState, type PageState } from '../../page/live/state.ts'
import { Store } from '../../page/live/store.ts'
import { balancerSummary, balancerView, figures, historyView, start } from './told.ts'

function after(...news: readonly News[]): PageState {
  return news.reduce(fold, initialState)
}

function summaries(...names: readonly string[]): News {
  const balancers = names.map((name) => balancerSummary(name))
  return { kind: 'balancers', view: { balancers } }
}

function event(id: number): News {
  const said: FeedEvent = {
    type: 'state',
    id: String(id),
    at: start + id,
    balancer: 'api',
    backend: 'a',
    state: 'drain',
    before: 'ready',
  }
  return { kind: 'event', event: said }
}

test('the first balancer is shown, until another is chosen or it is gone', () => {
  assert.equal(after(summaries('a', 'b')).chosen, 'a')
  const choice: News = { kind: 'choice', name: 'b' }
  assert.equal(after(summaries('a', 'b'), choice, summaries('a', 'b')).chosen, 'b')
  assert.equal(after(summaries('a', 'b'), choice, summaries('c', 'a')).chosen, 'c')
  assert.equal(after(summaries()).chosen, undefined)
})

test('a balancer that is gone is forgotten', () => {
  const state = after(summaries('api'), { kind: 'figures', figures: figures(0) }, summaries('b'))
  assert.equal(balancerState(state, 'api').now, undefined)
})

test('figures and views of a balancer are kept side by side', () => {
  const view = balancerView('api', 'one')
  const state = after({ kind: 'balancer', view }, { kind: 'figures', figures: figures(1) })
  const { view: seen, now, seconds } = balancerState(state, 'api')
  assert.equal(seen, view)
  assert.equal(now!.requests, 100)
  assert.equal(seconds.length, 1)
  assert.equal(state.at, start + 1000)
  assert.equal(balancerState(state, 'other').now, undefined)
})

test('how the process is comes with the list and with figures, and goes when the list does not tell it', () => {
  const process = { overloaded: true, eventLoopDelay: 1, eventLoopUtilized: 0.5, heapUsed: 1, rssBytes: 2 }
  const told: News = { kind: 'figures', figures: figures(0, { process }) }
  assert.equal(after(told).process, process)
  assert.equal(after(told, { kind: 'figures', figures: figures(1) }).process, process)
  assert.equal(after(told, summaries('api')).process, undefined)
})

test('the feed has the last hundred, the newest first, each once', () => {
  const { feed, at } = after(
    { kind: 'figures', figures: figures(9) },
    ...Array.from({ length: 150 }, (_, index) => event(index)),
    event(149),
    event(100),
  )
  assert.equal(feed.length, 100)
  assert.deepEqual([feed[0]!.id, feed.at(-1)!.id], ['149', '50'])
  // Events may be old.
  assert.equal(at, start + 9000)
})

test('how the server is was told last, and does not touch the rest', () => {
  const view = { state: 'drain', closesConnections: false, exchanges: 2, tunnels: 0, idle: false } as const
  const before = after(summaries('api'), { kind: 'connection', connection: 'live' })
  assert.equal(before.server, undefined)
  const state = fold(before, { kind: 'server', view })
  assert.deepEqual(state, { ...before, server: view })
  const other = { ...view, exchanges: 0, tunnels: 0, idle: true }
  assert.equal(fold(state, { kind: 'server', view: other }).server, other)
})

test('connection, access and trouble are as they were told last', () => {
  const trouble = { kind: 'unreachable', message: 'no' } as const
  const state = after(
    { kind: 'connection', connection: 'live' },
    { kind: 'access', access: 'viewer' },
    { kind: 'trouble', trouble },
  )
  assert.deepEqual([state.connection, state.access, state.trouble], ['live', 'viewer', trouble])
  assert.equal(fold(state, { kind: 'trouble', trouble: undefined }).trouble, undefined)
})

test('a store tells those who listen, until they leave', () => {
  const store = new Store()
  let told = 0
  const leave = store.listen(() => told++)
  store.tell({ kind: 'connection', connection: 'live' })
  assert.deepEqual([told, store.state.connection], [1, 'live'])
  leave()
  store.tell({ kind: 'connection', connection: 'reconnecting' })
  assert.deepEqual([told, store.state.connection], [1, 'reconnecting'])
})

test('a backend that looks as before stays the same object, and is not rendered again; another does not', () => {
  const before = after({ kind: 'balancer', view: balancerView('api', 'a', 'b') })
  const [a, b] = balancerState(before, 'api').view!.backends
  const view = balancerView('api', 'b', 'a', 'c')
  const changed = { ...view, backends: view.backends.map((one) => (one.id === 'b' ? { ...one, weight: 2 } : one)) }
  const now = balancerState(fold(before, { kind: 'balancer', view: changed }), 'api').view!.backends
  assert.deepEqual(
    now.map(({ id, weight }) => [id, weight]),
    [
      ['b', 2],
      ['a', 1],
      ['c', 1],
    ],
  )
  assert.equal(now[1], a)
  assert.notEqual(now[0], b)
})

test('counters that a row does not show are renewed after five seconds', () => {
  const at = (second: number): News => ({ kind: 'figures', figures: figures(second) })
  const view = (answered: number): News => {
    const { backends, ...rest } = balancerView('api', 'a')
    const responses = { '2xx': answered, '3xx': 0, '4xx': 0, '5xx': 0 }
    return { kind: 'balancer', view: { ...rest, backends: backends.map((one) => ({ ...one, responses })) } }
  }
  const shown = (...news: readonly News[]) => balancerState(after(...news), 'api').view!.backends[0]!.responses['2xx']
  assert.equal(shown(at(0), view(1), at(4), view(2)), 1)
  assert.equal(shown(at(0), view(1), at(4), view(2), at(5), view(3)), 3)
  assert.equal(shown(at(0), view(1), at(5), view(2), at(9), view(3)), 2)
})

test('the past is that of the range that was chosen last', () => {
  const past = (range: '5m' | '1h', count: number): News => {
    return { kind: 'past', balancer: 'api', range, view: historyView(100, count, 'a') }
  }
  const chosen: News = { kind: 'range', range: '1h' }
  const state = after(past('5m', 3), chosen, past('1h', 7), past('5m', 4))
  assert.equal(state.range, '1h')
  assert.equal(state.at, start + 100_000)
  const { past: seen, traffic } = balancerState(state, 'api')
  assert.deepEqual([seen!.range, seen!.points.length], ['1h', 7])
  assert.deepEqual(traffic.get('a')!.errors, { attempts: 700, failed: 70, isBurning: true })
})

test('failed requests are those of a balancer, as they were told last', () => {
  const failure = { at: start, method: 'GET', path: '/', status: 502, outcome: 'connect-refused', blame: 'backend' }
  const failures = [{ ...failure, took: 3, attempts: [] }]
  const state = after(
    { kind: 'failures', balancer: 'api', failures: [] },
    { kind: 'failures', balancer: 'api', failures },
  )
  assert.equal(balancerState(state, 'api').failures, failures)
  assert.equal(balancerState(state, 'other').failures, undefined)
})
