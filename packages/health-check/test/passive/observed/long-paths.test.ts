import type { Attempt } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LongPaths, pathOf } from '../../../src/passive/observed/long-paths.ts'

/** Answers are long from 50 ms on, until a limit is known: it is 100 ms here. */
function learning() {
  const paths = new LongPaths(50)
  let now = 0
  const attempt = (id: string, url: string, responseTime: number, status: number) =>
    ({ backend: { id }, exchange: { url }, responseTime, status }) as unknown as Attempt
  return {
    paths,
    answer(id: string, url: string, duration: number, times = 1, status = 200): boolean {
      let isExplained = false
      for (let count = 0; count < times; count++)
        isExplained = paths.answered(attempt(id, url, duration, status), (now += 1))
      return isExplained
    },
    explains: (id: string, url: string, waited: number) => paths.explains(attempt(id, url, 0, 0), waited),
    look: (isEnd = false) => paths.look(now, 100, isEnd),
    pass: (duration: number) => void (now += duration),
  }
}

test('a path is known without its query, and without what may be an id', () => {
  for (const [url, path] of [
    ['/poll?since=7', '/poll'],
    ['/rooms/42/events', '/rooms/*/events'],
    ['/u/3f0a-11/x?y', '/u/*/x'],
    ['/', '/'],
    ['/poll', '/poll'],
  ] as const)
    assert.equal(pathOf(url), path)
})

test('an answer that took long makes known that its path does, up to that time and a little more', () => {
  const { look, answer, explains } = learning()
  look()
  assert.equal(answer('a', '/poll?1', 20_000), false, 'the first is a surprise')
  assert.equal(answer('a', '/poll?2', 20_100), true)
  assert.deepEqual(
    [0, 19_000, 25_000, 26_000].map((waited) => explains('a', '/poll', waited)),
    [true, true, true, false],
  )
  assert.equal(explains('b', '/poll', 20_000), true, 'whoever is asked')
  assert.equal(explains('a', '/', 200), false)
  assert.equal(answer('a', '/poll', 60_000), false)
})

test('it is the backend, where others answer the same path quickly, before or afterwards', () => {
  const before = learning()
  before.look()
  before.answer('b', '/', 5, 30)
  before.answer('a', '/', 400)
  assert.deepEqual([before.explains('a', '/', 300), before.answer('a', '/', 400)], [false, false])
  const afterwards = learning()
  afterwards.look()
  afterwards.answer('a', '/', 400)
  assert.equal(afterwards.explains('a', '/', 300), true)
  afterwards.answer('b', '/', 5)
  assert.equal(afterwards.explains('a', '/', 300), false)
})

test('it is the path, where one answer of others in ten is as long', () => {
  const { look, answer, explains } = learning()
  look()
  answer('a', '/poll', 20_000, 3)
  answer('b', '/poll', 20_000)
  answer('b', '/poll', 5, 9)
  assert.equal(explains('a', '/poll', 15_000), true)
  answer('b', '/poll', 5)
  assert.equal(explains('a', '/poll', 15_000), false)
})

test('what a backend that hung answered late is no way of the path, if it was quick before', () => {
  const { look, answer, explains } = learning()
  look()
  answer('a', '/only-here', 5, 20)
  answer('a', '/only-here', 3000)
  assert.equal(explains('a', '/only-here', 1000), false)
})

test('nor is it that a gateway has waited in vain', () => {
  const { look, answer, explains } = learning()
  look()
  answer('a', '/', 30_000, 3, 504)
  assert.equal(explains('a', '/', 1000), false)
})

test('what was long before there was a limit is known, and is not excused where all are alike', () => {
  const { look, answer, explains } = learning()
  assert.equal(answer('a', '/poll', 20_000, 5), false)
  assert.equal(answer('a', '/slow', 80, 5), false)
  look()
  assert.equal(explains('a', '/poll', 15_000), true)
  assert.equal(explains('a', '/slow', 80), false, 'less than the limit is not long')
})

test('older answers say less, and one that was not long for ten minutes is forgotten', () => {
  const { look, answer, explains, pass } = learning()
  look()
  answer('b', '/poll', 5, 20)
  answer('b', '/poll', 20_000)
  answer('a', '/poll', 20_000, 2)
  assert.equal(explains('a', '/poll', 1000), false)
  answer('b', '/poll', 20_000, 3)
  assert.equal(explains('a', '/poll', 1000), true)
  for (let interval = 0; interval < 60; interval++) {
    pass(9_000)
    look(true)
  }
  assert.equal(explains('a', '/poll', 1000), true)
  pass(70_000)
  look()
  assert.equal(explains('a', '/poll', 1000), false)
})

test('no more than 256 are known', () => {
  const { look, answer, explains } = learning()
  look()
  const names = Array.from({ length: 257 }, (_, index) => '/x'.repeat(index + 1))
  for (const name of names) answer('a', name, 20_000)
  assert.deepEqual(
    names.map((name) => explains('a', name, 1000)),
    names.map((_, index) => index > 0),
  )
})
