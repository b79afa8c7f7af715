import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../test/support/clock.ts'
import { RefusalSpells, type RefusalSpell } from '../src/index.ts'

function counting() {
  const clock = new ManualClock(500)
  const told: RefusalSpell[] = []
  const spells = new RefusalSpells(clock, (spell) => told.push(spell))
  const figures = () =>
    told
      .splice(0)
      .map(({ phase, refused, duration, recent }) => [phase, refused, duration, recent.refused, recent.duration])
  const refuse = (count: number, kind = 'full') => {
    for (let index = 0; index < count; index++) spells.count(kind)
  }
  return { clock, spells, told, figures, refuse }
}

test('a spell is told when it begins, every 10 s, and once 10 s were quiet', () => {
  const { clock, spells, figures, refuse } = counting()
  refuse(5)
  assert.deepEqual(figures(), [['began', 1, 0, 1, 0]])
  assert.equal(typeof spells.since, 'number')
  clock.advance(4000)
  refuse(3)
  clock.advance(5999)
  assert.deepEqual(figures(), [])
  clock.advance(1)
  assert.deepEqual(figures(), [['lasts', 8, 4000, 8, 10_000]])
  refuse(1)
  clock.advance(10_000)
  assert.deepEqual(figures(), [['lasts', 9, 10_000, 1, 10_000]])
  clock.advance(10_000)
  assert.deepEqual(figures(), [['ended', 9, 10_000, 0, 10_000]])
  assert.deepEqual([spells.since, spells.total], [undefined, 9])
})

test('the next spell begins anew; what is counted since the start goes on', () => {
  const { clock, spells, told, refuse } = counting()
  refuse(2)
  clock.advance(20_000)
  refuse(1, 'shed')
  refuse(1)
  clock.advance(10_000)
  const { phase, refused, byKind } = told.at(-1)!
  assert.deepEqual([phase, refused, byKind, spells.total], ['lasts', 2, { shed: 1, full: 1 }, 4])
})

test('there is a timer only during a spell, and none after the stop', () => {
  const { clock, spells, figures, refuse } = counting()
  assert.equal(clock.pending, 0)
  refuse(7)
  assert.equal(clock.pending, 1)
  clock.advance(20_000)
  assert.equal(clock.pending, 0)
  refuse(2)
  figures()
  spells.stop()
  assert.deepEqual([clock.pending, figures()], [0, [['ended', 2, 0, 2, 0]]])
  spells.stop()
  assert.deepEqual(figures(), [])
})
