import type { Backend } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../test/support/clock.ts'
import { JudgementLog } from '../src/judgement-log.ts'

function logging() {
  const lines: [string, string, object][] = []
  const clock = new ManualClock()
  const write = (level: string) => (figures: object, sentence: string) => void lines.push([level, sentence, figures])
  const log = { info: write('info'), warn: write('warn') } as unknown as FastifyBaseLogger
  const judgements = new JudgementLog('api', clock, log)
  const add = (id: string, good = false) =>
    judgements.add({ id, vetoes: [] as Backend['vetoes'] } as Backend, {
      at: 1,
      by: 'health-check',
      good,
      rule: 'as it was',
      evidence: [],
    })
  return { lines, clock, judgements, add }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `b${index}`)

test('a few judgements have a line each, at once', () => {
  const { lines, add } = logging()
  for (const id of names(10)) add(id)
  add('c', true)
  assert.deepEqual(
    lines.map(([level, sentence]) => `${level} ${sentence}`),
    [...names(10).map((id) => `warn backend ${id} unhealthy: as it was`), 'info backend c back in rotation: as it was'],
  )
})

test('of thousands within a second, all but the first are told in one line', () => {
  const { lines, clock, add } = logging()
  for (const id of names(3000)) add(id)
  assert.equal(lines.length, 10)
  clock.advance(1000)
  const first = names(20)
    .slice(10)
    .map((id) => `${id}: as it was`)
  assert.deepEqual(lines.slice(10), [
    ['warn', '2990 more backends unhealthy or ejected', { balancer: 'api', count: 2990, first }],
  ])
  clock.advance(5000)
  add('late')
  assert.equal(lines.length, 12)
})

test('good and bad news are counted apart, and what is left is told at the end', () => {
  const { lines, clock, judgements, add } = logging()
  for (const id of names(11)) add(id, true)
  for (const id of names(12)) add(id)
  judgements.stop()
  assert.deepEqual(
    lines.slice(20).map(([level, sentence]) => `${level} ${sentence}`),
    ['info 1 more backend back in rotation', 'warn 2 more backends unhealthy or ejected'],
  )
  assert.equal(clock.pending, 0)
})
