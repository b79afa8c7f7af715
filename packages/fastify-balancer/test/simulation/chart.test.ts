import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chart, type RunFigures, type SimulationFigures } from '../../src/simulation/simulate.ts'

const run = (policy: string, curve: RunFigures['curve']): RunFigures => ({
  policy,
  latency: { mean: 0, p50: 0, p95: 0, p99: 0, 'p99.9': 0, max: 0 },
  curve,
  throughput: 0,
  arrived: 0,
  completed: 0,
  failed: 0,
  inFlight: 0,
  errorShare: 0,
  errors: {},
  retriedShare: 0,
  backends: [],
  starved: 0,
})
const result = (...runs: RunFigures[]): SimulationFigures => ({ seed: 1, duration: 1, warmUp: 0, runs })
const rising = [
  { percent: 50, latency: 10 },
  { percent: 90, latency: 100 },
  { percent: 99, latency: 1000 },
]
const pathsOf = (svg: string) =>
  [...svg.matchAll(/<path class="line" stroke="[^"]+"[^>]* d="([^"]+)"/g)].map(([, d]) => d!)

test('a line goes through its quantiles, on logarithmic axes', () => {
  const svg = chart(result(run('p2c', rising), run('random', rising.slice(0, 2))))
  const [line, shorter] = pathsOf(svg)
  // From the lower left to the upper right; the 90th percentile is log 5 / log 50 of the way across, and half of it up.
  assert.equal(line, 'M64 348L261.5 194L544 40')
  assert.equal(shorter, 'M64 348L261.5 194')
  for (const label of ['>p50<', '>p90<', '>p99<', '>10<', '>100<', '>1000<']) assert.ok(svg.includes(label), label)
  assert.ok(!svg.includes('p99.9'))
})

test('text is escaped, and long names are cut', () => {
  const svg = chart(result(run('<a> & "b"', rising), run('x'.repeat(50), rising)), `a</svg><script>'\u0000`)
  assert.ok(svg.includes('>&lt;a&gt; &amp; &quot;b&quot;</text>'))
  assert.ok(svg.includes(`>${'x'.repeat(18)}…</text>`))
  assert.ok(svg.includes('aria-label="a&lt;/svg&gt;&lt;script&gt;&apos;?"'))
  assert.equal(svg.match(/<\/svg>/g)!.length, 1)
})

test('it has colors for dark pages, and tells apart as many policies as one likes', () => {
  const svg = chart(result(...Array.from({ length: 20 }, (_, index) => run(`policy ${index}`, rising))))
  assert.ok(svg.includes('@media (prefers-color-scheme: dark)'))
  const strokes = [...svg.matchAll(/<path class="line" (stroke="[^"]+"(?: stroke-dasharray="[^"]+")?) d="M64/g)]
  assert.equal(new Set(strokes.map(([, stroke]) => stroke)).size, 20)
})

test('nothing was answered, all at once, or in no time: a chart without what is not there', () => {
  for (const curve of [[], [{ percent: 50, latency: 5 }], [{ percent: 50, latency: 0 }]]) {
    const svg = chart(result(run('p2c', curve)))
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
  }
})
