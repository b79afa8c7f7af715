import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReport } from '../../src/load-reports/parse-report.ts'
import { freshLoad, loadOf } from '../../src/load-reports/reported-load.ts'

test('vLLM’s reports, in both formats', () => {
  const expected = { utilization: 0.4, waiting: 3 }
  const text = 'TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3.0'
  const json = 'JSON {"named_metrics": {"kv_cache_usage_perc": 0.4, "num_requests_waiting": 3.0}}'
  assert.deepEqual(parseReport(text), expected)
  assert.deepEqual(parseReport(json), expected)
})

test('of several utilizations the largest counts; other figures are ignored', () => {
  const report =
    'TEXT cpu_utilization=0.3,application_utilization=0.7,mem_utilization=0.9,rps_fractional=12,utilization.x=1'
  assert.deepEqual(parseReport(report), { utilization: 0.7 })
  assert.deepEqual(parseReport('TEXT named_metrics.requests_in_flight=4, named_metrics.latency_ms=2.5'), {
    inFlight: 4,
    latency: 2.5,
  })
})

test('what is malformed is no report', () => {
  for (const header of [
    '',
    'TEXT',
    'TEXT ',
    'BIN AAAA',
    'cpu_utilization=0.3',
    'TEXT cpu_utilization',
    'TEXT cpu_utilization=',
    'TEXT cpu_utilization=-1',
    'TEXT cpu_utilization=NaN',
    'TEXT cpu_utilization=Infinity',
    'TEXT __proto__=1, constructor=2',
    'JSON',
    'JSON {',
    'JSON null',
    'JSON [1]',
    'JSON {"cpu_utilization": "0.3"}',
    'JSON {"named_metrics": 3, "__proto__": {"x": 1}}',
    'JSON {"named_metrics": {"named_metrics": {"latency_ms": 1}}}',
    `TEXT cpu_utilization=0.3${' '.repeat(4096)}`,
  ])
    assert.equal(parseReport(header), undefined, header.slice(0, 60))
})

test('figures have bounds, and no text makes it throw', () => {
  assert.deepEqual(
    parseReport('TEXT cpu_utilization=1e9, named_metrics.requests_in_flight=1e300, named_metrics.latency_ms=1e300'),
    { utilization: 1, inFlight: 100_000, latency: 600_000 },
  )
  const metric = fc.constantFrom('cpu_utilization', 'named_metrics.latency_ms', 'named_metrics.requests_in_flight')
  const pair = fc.tuple(metric, fc.oneof(fc.double().map(String), fc.string())).map((parts) => parts.join('='))
  const text = fc.array(pair).map((pairs) => `TEXT ${pairs.join(',')}`)
  const json = fc.json().map((value) => `JSON ${value}`)
  fc.assert(
    fc.property(fc.oneof(text, json, fc.string()), (header) => {
      const load = loadOf(parseReport(header) ?? {}, 3, 0)
      assert.ok(load.others >= 0 && load.others <= 200_000)
      assert.ok(load.slowness >= 1 && load.slowness <= 20)
    }),
    { seed: 20_260_131, numRuns: 500 },
  )
})

test('a report adds the requests of others and the queue, and slows by utilization', () => {
  assert.deepEqual(loadOf({ inFlight: 10, waiting: 2, utilization: 0.5 }, 4, 7), {
    at: 7,
    others: 8,
    slowness: 2,
    report: { inFlight: 10, waiting: 2, utilization: 0.5 },
  })
  // Fewer than are in flight from here: it lies, or has not had them all.
  assert.equal(loadOf({ inFlight: 0 }, 4, 0).others, 0)
  assert.equal(loadOf({ utilization: 1 }, 0, 0).slowness, 20)
})

test('it counts for 1 s', () => {
  const load = loadOf({ inFlight: 1 }, 0, 500)
  assert.equal(freshLoad(load, 1500), load)
  assert.equal(freshLoad(load, 1501), undefined)
  assert.equal(freshLoad(undefined, 0), undefined)
})
