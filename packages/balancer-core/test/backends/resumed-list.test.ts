import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Balancer } from '../../src/balancer.ts'

const [a, b] = ['http://127.0.0.1:1', 'http://127.0.0.1:2']

test('a list that was in force before goes on above its revision, and nobody in it is judged', async (t) => {
  const balancer = new Balancer({ backends: [a] })
  t.after(() => balancer.close())
  let judged = 0
  balancer.addHook('onBackendsPropose', async (candidates) => {
    judged += candidates.length
    return candidates.map((backend) => ({ backend, refusal: 'sick' }))
  })
  const changes: number[][] = []
  balancer.addHook('onBackendsChange', (now, before) => void changes.push([before.revision, now.revision]))
  const { revision, all } = await balancer.setBackends([b], { resumes: 41 })
  assert.deepEqual([revision, all.map(({ url }) => url), judged], [42, [b], 0])
  await balancer.update(b, { weight: 2 })
  // It never goes back.
  assert.equal((await balancer.setBackends([a], { resumes: 7 })).revision, 44)
  assert.deepEqual(changes, [
    [1, 42],
    [42, 43],
    [43, 44],
  ])
  await assert.rejects(balancer.setBackends([b], { resumes: 50, revision: 43 }), {
    code: 'FST_BALANCER_STALE_REVISION',
  })
  await assert.rejects(balancer.setBackends([b]), { code: 'FST_BALANCER_REFUSED_BACKENDS' })
  assert.equal(judged, 1)
})
