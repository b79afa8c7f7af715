import type { Backend } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from '../../src/judgement/history.ts'
import type { Judgement } from '../../src/judgement/judgement.ts'

const judgement = (at: number): Judgement => ({ at, by: 'health-check', good: false, rule: 'test', evidence: [] })

test('the last twenty judgements of each backend are kept, the newest first', () => {
  const history = new History()
  const [a, b] = [{} as Backend, {} as Backend]
  for (let at = 0; at < 25; at++) history.add(a, judgement(at))
  history.add(b, judgement(99))
  assert.deepEqual(
    history.of(a).map(({ at }) => at),
    Array.from({ length: 20 }, (_, index) => 24 - index),
  )
  assert.equal(history.of(b).length, 1)
})

test('of one that was never judged there are none', () => assert.deepEqual(new History().of({} as Backend), []))
