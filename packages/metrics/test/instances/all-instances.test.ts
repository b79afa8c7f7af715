import { MemoryStore } from '@fastify-balancer/fleet'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Gauge, Registry } from 'prom-client'
import { startBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { promtool, withoutPromtool } from '../prometheus/promtool.ts'
import { counted, only, scrape } from '../scrape.ts'
import { startMember, startMembers } from './stage.ts'

test('whichever instance is asked tells of all: counters and histograms are added up, gauges by their meaning', async (t) => {
  let hold = true
  const backend = await startBackend(t, (_request, response) => void (hold || response.end()))
  const { members } = await startMembers(t, 3, {
    balancer: { backends: [{ id: 'one', url: backend.url, weight: 7, maxInFlight: 10 }] },
  })
  const held = members.slice(0, 2).map(({ app }) => app.inject('/'))
  await until('two are there', () => backend.received.length === 2)
  await members[1]!.app.balancer.drain('one', { deadline: 0 })
  await until('all know', () => members.every(({ app }) => app.balancer.backend('one').state === 'drain'))
  for (const { app } of members) {
    const figures = await scrape(app)
    const value = (name: string, labels = '') => figures[`fastify_balancer_${name}{balancer="default"${labels}}`]
    const ofOne = ',backend="one"'
    assert.deepEqual(
      [value('requests_in_flight'), value('backend_in_flight', ofOne), value('backend_limit', ofOne)],
      [2, 2, 30],
    )
    assert.deepEqual([value('backend_weight', ofOne), value('backend_max_in_flight', ofOne)], [7, 10])
    assert.deepEqual([value('backends'), value('backends_available'), value('backend_up', ofOne)], [1, 0, 0])
    assert.equal(value('backend_state', ',backend="one",state="drain"'), 1)
    assert.equal(value('backend_state', ',backend="one",state="ready"'), 0)
    assert.equal(value('queue_limit'), 3 * app.balancer.queue.max)
    assert.deepEqual(only(figures, 'fastify_balancer_instances'), {
      '{state="starting"}': 0,
      '{state="ready"}': 3,
      '{state="draining"}': 0,
    })
    assert.equal(figures['fastify_balancer_instances_missing'], 0)
    const revisions = only(figures, 'fastify_balancer_instance_revision')
    assert.deepEqual(Object.values(revisions), [1, 1, 1])
    assert.ok('{fleet_instance="3",balancer="default"}' in revisions)
  }
  hold = false
  members.forEach(({ app }) => app.balancer.ready('one'))
  for (const response of backend.responses ?? []) response.end()
  void held
})

test('without a fleet, the text is as it was', async (t) => {
  const { members } = await startMembers(t, 1)
  const [{ app }] = members as [(typeof members)[0]]
  const lines = Object.keys(await scrape(app)).filter((line) => !line.startsWith('fastify_balancer_instance'))
  assert.ok(lines.length > 50)
})
