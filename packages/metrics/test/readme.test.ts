import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import metrics from '../src/index.ts'

test('the README names every metric, and no other', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await app.register(metrics)
  const there = app.balancerMetrics.registry.getMetricsAsArray().map(({ name }) => name)
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  assert.deepEqual([...new Set(readme.match(/\bfastify_balancer_\w+/g))].sort(), there.sort())
})
