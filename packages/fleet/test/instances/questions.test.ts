import assert from 'node:assert/strict'
import { test } from 'node:test'
import { members } from './stage.ts'

/** Far longer than a test may take: an answer that comes is not this one's doing (ms). */
const timeout = 600_000

test('all answer, each in its own way, and know who has asked', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  b.answer('sum', (numbers, from) => `${from}: ${(numbers as number[]).length}`)
  c.answer('sum', async () => undefined)
  const { answers, missing } = await a.ask('sum', [1, 2], { timeout })
  assert.deepEqual(
    [...answers],
    [
      ['b', 'a: 2'],
      ['c', undefined],
    ],
  )
  assert.deepEqual(missing, [])
})

test('one that throws, rejects, or answers what cannot be sent is missing at once', async (t) => {
  const { a, b, c, d, e } = await members(t, ['a', 'b', 'c', 'd', 'e'])
  b.answer('q', () => {
    throw new Error('mine')
  })
  c.answer('q', () => Promise.reject(new Error('mine')))
  d.answer('q', () => 1n)
  e.answer('q', () => 'here')
  const { answers, missing } = await a.ask('q', 1, { timeout })
  assert.deepEqual([...answers], [['e', 'here']])
  assert.deepEqual(missing, ['b', 'c', 'd'])
})

test('one that never answers is missing once the time is over, and what it answers later changes nothing', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  let answer: (value: string) => void = () => {}
  b.answer('q', () => new Promise((resolve) => (answer = resolve)))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked = a.ask('q', 1, { timeout: 1000 })
  await a.store.read('')
  t.mock.timers.tick(1000)
  const { answers, missing } = await asked
  assert.deepEqual(missing, ['b', 'c'])
  c.answer('next', () => 'here')
  const next = a.ask('next', 1, { whom: ['c'] })
  answer('late')
  assert.deepEqual([...(await next).answers], [['c', 'here']])
  assert.equal(answers.size, 0)
})

test('nobody waits for instances that leave', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  b.answer('q', () => new Promise(() => {}))
  c.answer('q', () => 'here')
  const asked = a.ask('q', 1, { timeout })
  await b.leave()
  const { answers, missing } = await asked
  assert.deepEqual([...answers.keys()], ['c'])
  assert.deepEqual(missing, ['b'])
})

test('one that leaves while it waits, or asks later, gets no more answers', async (t) => {
  const { a, b } = await members(t, ['a', 'b'])
  b.answer('q', () => new Promise(() => {}))
  const asked = a.ask('q', 1, { timeout })
  await a.leave()
  assert.deepEqual((await asked).missing, ['b'])
  assert.deepEqual((await a.ask('q', 1, { timeout })).missing, ['b'])
})

test('one that is alone need not wait', async (t) => {
  const { a } = await members(t, ['a'])
  assert.deepEqual(await a.ask('q', 1, { timeout }), { answers: new Map(), missing: [] })
})

test('one that no longer answers is missing', async (t) => {
  const { a, b, c } = await members(t, ['a', 'b', 'c'])
  const end = b.answer('q', () => 'here')
  c.answer('q', () => 'here')
  end()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked = a.ask('q', 1)
  for (let turn = 0; turn < 20; turn++) await a.store.read('')
  t.mock.timers.tick(1000)
  const { answers, missing } = await asked
  assert.deepEqual([[...answers.keys()], missing], [['c'], ['b']])
})
