import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { promtool, withoutPromtool } from './promtool.ts'
import { startStage } from '../stage.ts'

/** Debian's, which finds the package `python3-prometheus-client`. */
const python = '/usr/bin/python3'

/** The parser of OpenMetrics by those who maintain that format: refuses what its rules forbid, such as a series told twice. */
const parse = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(family.name, family.type, family.unit)
`
const withoutParser =
  spawnSync(python, ['-c', 'import prometheus_client']).status === 0
    ? false
    : 'needs python3 with python3-prometheus-client (Debian)'

test('names, units and help are as Prometheus wants them', { skip: withoutPromtool }, async (t) => {
  const { app, burst } = await startStage(t)
  await burst()
  const text = await app.balancerMetrics.text()
  assert.match(text, /^fastify_balancer_tunnels_closed_total\{.*\} 1$/m)
  const { ok, output } = promtool(['check', 'metrics'], text)
  assert.ok(ok, output)
  assert.equal(output, '')
})

test('a parser of OpenMetrics accepts it, and finds the units', { skip: withoutParser }, async (t) => {
  const { app, burst } = await startStage(t)
  await burst()
  const { status, stdout, stderr } = spawnSync(python, ['-c', parse], {
    input: await app.balancerMetrics.text('openmetrics'),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const families = stdout.trim().split('\n')
  assert.equal(families.length, app.balancerMetrics.registry.getMetricsAsArray().length)
  for (const family of families) {
    const [name = '', type, unit = ''] = family.split(' ')
    assert.notEqual(type, 'unknown', name)
    assert.equal(unit, /_(seconds|bytes)$/.exec(name)?.[1] ?? '', name)
  }
})
