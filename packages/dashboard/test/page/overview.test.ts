import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold, type News } from '../../page/live/fold.ts'
import { initialState, type PageState } from '../../page/live/state.ts'
import { tabText } from '../../page/head/title-text.ts'
import { tabsOf } from '../../page/head/tabs.ts'
import { conditionOf } from '../../page/overview/condition.ts'
import { linesOf } from '../../page/overview/lines.ts'
import type { BalancerSummary } from '../../page/api/views.ts'
import { backendView, balancerSummary, balancerView, figures } from './told.ts'

function told(...news: readonly News[]): PageState {
  return news.reduce(fold, initialState)
}

const list = (...balancers: readonly BalancerSummary[]): News => ({ kind: 'balancers', view: { balancers } })

test('the state of a balancer in words, and how bad it is', () => {
  const condition = (rest: Partial<BalancerSummary>, errors = 0) => {
    const { tone, text } = conditionOf(balancerSummary('api', rest), { errors })
    return `${tone}: ${text}`
  }
  assert.equal(condition({}), 'good: 5 of 5 healthy')
  assert.equal(condition({ available: 3 }), 'warn: 3 of 5 healthy')
  assert.equal(condition({ available: 0, panicking: true }), 'bad: 0 of 5 healthy · panic mode')
  assert.equal(condition({ available: 1, panicking: true }), 'bad: 1 of 5 healthy · panic mode')
  assert.equal(condition({ available: 0 }), 'bad: 0 of 5 healthy')
  assert.equal(condition({ backends: 0, available: 0 }), 'bad: no backends')
  assert.equal(condition({ queue: { waiting: 9, max: 9, refused: 1 } }), 'bad: 5 of 5 healthy · queue full')
  assert.equal(condition({ queue: { waiting: 0, max: 0, refused: 0 } }), 'good: 5 of 5 healthy')
  assert.equal(
    condition({ queue: { waiting: 8, max: 9, refused: 1, refusingSince: 1 } }),
    'bad: 5 of 5 healthy · refusing requests',
  )
  assert.equal(condition({ closing: true }), 'good: 5 of 5 healthy · closing')
  assert.equal(condition({}, 0.01), 'warn: 5 of 5 healthy')
  assert.equal(condition({}, 0.05), 'bad: 5 of 5 healthy')
})

test('the worst balancer comes first; equally bad ones stay in the order of the server', () => {
  const state = told(
    list(
      balancerSummary('fine'),
      balancerSummary('one down', { available: 4 }),
      balancerSummary('failing'),
      balancerSummary('all down', { available: 0, panicking: true }),
      balancerSummary('two down', { available: 3 }),
      balancerSummary('panics', { available: 1, panicking: true }),
      balancerSummary('also fine'),
    ),
    { kind: 'figures', figures: figures(1, { balancer: 'failing', requests: 10, failed: 1 }) },
  )
  assert.deepEqual(
    linesOf(state).map(({ summary }) => summary.name),
    ['all down', 'panics', 'failing', 'two down', 'one down', 'fine', 'also fine'],
  )
})

test('of many balancers, the chosen one and the worst have a tab', () => {
  const many = Array.from({ length: 20 }, (_, index) =>
    balancerSummary(`b${index}`, { available: [3, 7].includes(index) ? 4 : 5 }),
  )
  const names = (balancers: readonly BalancerSummary[], chosen?: string) =>
    tabsOf(balancers, chosen)
      .map(({ name }) => name)
      .join(' ')
  assert.equal(names(many.slice(0, 8)), 'b0 b1 b2 b3 b4 b5 b6 b7')
  assert.equal(names(many), 'b3 b7')
  assert.equal(names(many, 'b5'), 'b3 b5 b7')
  const sick = many.map((one, index) => ({ ...one, available: index % 5 }))
  assert.equal(names(sick, 'b19'), 'b0 b1 b5 b6 b10 b11 b15 b19')
})

test('the title of the tab names the worst balancer and what is wrong with it', () => {
  const sick = [
    backendView('a'),
    backendView('b', { available: false }),
    backendView('c', { state: 'drain', available: false }),
  ]
  const view: News = { kind: 'balancer', view: { ...balancerView('api'), backends: sick } }
  const three = { backends: 3, available: 1 }
  const text = (...news: readonly News[]) => tabText(told(...news))
  assert.deepEqual(text(list(balancerSummary('api'))), { title: 'fastify-balancer', tone: 'good' })
  assert.deepEqual(text(list(balancerSummary('api', three)), view), {
    title: '● 1 of 3 unhealthy – api – fastify-balancer',
    tone: 'warn',
  })
  assert.deepEqual(
    text(
      list(
        balancerSummary('web'),
        balancerSummary('api', three),
        balancerSummary('db', { available: 0, panicking: true }),
      ),
    ),
    { title: '● 0 of 5 healthy, panic mode – db (and 1 more) – fastify-balancer', tone: 'bad' },
  )
  const failing = { kind: 'figures', figures: figures(1, { requests: 100, failed: 40 }) } as const
  assert.deepEqual(text(list(balancerSummary('api')), failing), {
    title: '● 40 % errors – api – fastify-balancer',
    tone: 'bad',
  })
  const load = { eventLoopDelay: 1, eventLoopUtilized: 0.5, heapUsed: 1, rssBytes: 2 }
  const process = (overloaded: boolean): News => ({
    kind: 'figures',
    figures: figures(2, { failed: 0, process: { ...load, overloaded, shed: 3 } }),
  })
  assert.deepEqual(text(list(balancerSummary('api')), process(true)), {
    title: '● overloaded – fastify-balancer',
    tone: 'bad',
  })
  assert.equal(text(list(balancerSummary('api')), process(false)).title, 'fastify-balancer')
})

test('a drain is no trouble, nor are a few errors; a lost connection is', () => {
  const drained = [backendView('a'), backendView('b', { state: 'drain', available: false })]
  const view: News = { kind: 'balancer', view: { ...balancerView('api'), backends: drained } }
  const summary = list(balancerSummary('api', { backends: 2, available: 1 }))
  assert.equal(tabText(told(summary, view)).tone, 'good')
  const few = { kind: 'figures', figures: figures(1, { requests: 100, failed: 4 }) } as const
  assert.equal(tabText(told(list(balancerSummary('api')), few)).title, 'fastify-balancer')
  const all = { ...balancerView('api'), backends: [drained[1]!] }
  assert.equal(
    tabText(told(list(balancerSummary('api', { backends: 1, available: 0 })), { kind: 'balancer', view: all })).title,
    '● 0 of 1 in rotation – api – fastify-balancer',
  )
  assert.deepEqual(tabText(told(summary, { kind: 'connection', connection: 'reconnecting' })), {
    title: '○ Not connected – fastify-balancer',
    tone: 'warn',
  })
})
