import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../src/backends/backend.ts'
import { backendSet } from '../../src/backends/backend-set.ts'

/** `a` has no veto, `a~` a soft one, `a!` a hard one, `a~!` both, `a=` is drained; a digit is the priority: `a1~`. */
function backendOf(text: string): Backend {
  const [, id = '', priority = '0', marks = ''] = /^([a-z])(\d?)([~!=]*)$/.exec(text)!
  const settings = { weight: 1, priority: Number(priority), maxInFlight: 1, tags: [] }
  const backend = new Backend(id, `http://${id}.test`, settings, {} as Pool)
  backend.vetoes = marks.split('').map((mark) => ({
    by: mark === '=' ? 'drain' : 'test',
    reason: 'so that it is not used',
    hard: mark !== '~',
    since: 0,
    lift: () => {},
  }))
  backend.keepsBound = marks.includes('=')
  return backend
}

function availableIn(text: string, panicThreshold: number | false = 0): string {
  const all = text
    .split(' ')
    .filter((part) => part !== '')
    .map(backendOf)
  const { available, panicking } = backendSet(all, 1, panicThreshold)
  return available.map(({ id }) => id).join('') + (panicking ? ' panicking' : '')
}

test('available is what has no veto, in the order given', () => {
  assert.equal(availableIn('a b c'), 'abc')
  assert.equal(availableIn('c a~ b'), 'cb')
  assert.equal(availableIn('a! b c~!'), 'b')
  assert.equal(availableIn(''), '')
})

test('when nothing is without veto, soft vetoes are ignored, and hard ones are not', () => {
  assert.equal(availableIn('a~ b~ c~'), 'abc panicking')
  assert.equal(availableIn('a~ b! c~'), 'ac panicking')
  assert.equal(availableIn('a~ b~!'), 'a panicking')
  assert.equal(availableIn('a~'), 'a panicking')
})

test('it is no panic when ignoring soft vetoes would bring nothing', () => {
  assert.equal(availableIn('a! b! c~!'), '')
  assert.equal(availableIn('', 1), '')
  assert.equal(availableIn('a b!', 1), 'a')
  assert.equal(availableIn('a b', 1), 'ab')
})

test('without panic, a soft veto is as good as a hard one', () => {
  assert.equal(availableIn('a~ b~', false), '')
  assert.equal(availableIn('a~ b', false), 'b')
})

test('panic begins below the threshold, not at it', () => {
  assert.equal(availableIn('a b c~ d~', 0.5), 'ab')
  assert.equal(availableIn('a b c~ d~', 0.51), 'abcd panicking')
  assert.equal(availableIn('a b~ c~ d~', 0.5), 'abcd panicking')
  assert.equal(availableIn('a b c d~', 1), 'abcd panicking')
  assert.equal(availableIn('a b~ c~ d~', 0), 'a')
})

test('the share is that of what orders permit: what is drained on purpose causes no panic', () => {
  assert.equal(availableIn('a b c! d!', 0.9), 'ab')
  assert.equal(availableIn('a b~ c! d!', 0.5), 'a')
  assert.equal(availableIn('a b~ c! d!', 0.51), 'ab panicking')
})

test('only the most preferred priority that has anything available is used', () => {
  assert.equal(availableIn('a0 b1 c2'), 'a')
  assert.equal(availableIn('c2 b1 a0 d0'), 'ad')
  assert.equal(availableIn('a0~ b1 c2'), 'b')
  assert.equal(availableIn('a0! b1~ c2'), 'c')
  assert.equal(availableIn('b3 c3 a7'), 'bc')
})

test('spare is the rest of what could be used, the more preferred first', () => {
  const spareIn = (text: string) =>
    backendSet(text.split(' ').map(backendOf), 1, 0)
      .spare.map(({ id }) => id)
      .join('')
  assert.equal(spareIn('a b c'), '')
  assert.equal(spareIn('c2 b1 a0 d0 e1'), 'bec')
  assert.equal(spareIn('a0 b1~ c2 d3!'), 'c')
  assert.equal(spareIn('a0~ b1~ c2~'), 'bc')
})

test('in panic, the most preferred of what orders permit is used', () => {
  assert.equal(availableIn('a0~ b1~ c2~'), 'a panicking')
  assert.equal(availableIn('a0! b1~ c2~ d1~'), 'bd panicking')
  assert.equal(availableIn('a0~ b1 c1~', 0.5), 'a panicking')
})

test('draining is what is drained, as long as it keeps its clients and nothing else speaks against it', () => {
  const all = 'a= b c! d~ e=~ f=! g1='.split(' ').map(backendOf)
  const ids = () => backendSet(all, 1, 0).draining.map(({ id }) => id)
  assert.deepEqual(ids(), ['a', 'g'])
  all[0]!.keepsBound = false
  assert.deepEqual(ids(), ['g'])
  all[6]!.vetoes = []
  assert.deepEqual(ids(), [], 'somebody has lifted the veto')
  const soft = backendOf('h=')
  soft.vetoes = soft.vetoes.map((veto) => ({ ...veto, hard: false }))
  assert.deepEqual(backendSet([soft], 1, 0).draining, [], 'an opinion by that name is no order')
})

test('in panic, what is drained is not used for new requests', () => {
  assert.equal(availableIn('a= b~'), 'b panicking')
  assert.equal(availableIn('a= b='), '')
})

test('a set says its list and revision', () => {
  const all = [backendOf('a'), backendOf('b~')]
  const set = backendSet(all, 7, 0)
  assert.deepEqual(set.all, all)
  assert.equal(set.revision, 7)
  assert.equal(set.panicking, false)
})

test('a set cannot be changed, nor does it follow the list it was built from', () => {
  const all = [backendOf('a'), backendOf('b')]
  const set = backendSet(all, 1, 0)
  assert.ok(Object.isFrozen(set))
  assert.ok(Object.isFrozen(set.all))
  assert.ok(Object.isFrozen(set.available))
  assert.ok(Object.isFrozen(set.spare))
  assert.ok(Object.isFrozen(set.draining))
  const [, b] = all
  all.pop()
  assert.equal(set.all[1], b)
  b!.vetoes = backendOf('x~').vetoes
  assert.equal(set.available.length, 2)
  assert.throws(() => (set.all as Backend[]).push(backendOf('c')), TypeError)
  assert.throws(() => Object.assign(set, { revision: 2 }), TypeError)
  assert.ok(!Object.isFrozen(all), "the caller's list is left alone")
})
