// What is told of the benchmarks is what their results say: tables, charts, and the sentences of the README.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { drawCharts } from './bench/charts.ts'
import type { Report } from './bench/report.ts'
import { marker, tables, withTables } from './bench/tables.ts'
import { loadResults, resultsFile } from './bench/results.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

test('the tables of the benchmarks are what their results say', () => {
  const text = read('test/bench/README.md')
  for (const name of Object.keys(tables)) assert.ok(text.includes(marker(name, 'start')), name)
  assert.equal(withTables(text), text, 'print them with: node test/bench/table.ts --write test/bench/README.md')
})

test('the charts are what the results say, in light and in dark', async () => {
  const drawn = await drawCharts()
  assert.ok(drawn.length >= 6)
  for (const { file, svg } of drawn)
    assert.ok(readFileSync(file, 'utf8') === svg, `${file}: draw it with: node test/bench/charts.ts`)
})

test('there is no chart that nothing draws', async () => {
  const drawn = await drawCharts()
  assert.deepEqual(
    globSync('.github/pictures/*.svg', { cwd: root })
      .map((file) => join(root, file))
      .toSorted(),
    drawn.map(({ file }) => file).toSorted(),
  )
})

describe('what the README says of CPU', () => {
  const { scenarios } = loadResults(resultsFile('latest')) as Report
  const { subjects } = scenarios.find(({ name }) => name === 'get-100')!
  const cpu = (name: string) => subjects.find((one) => one.name === name)!.cpuPerRequest.median

  test('nginx and HAProxy spend less than half as much', () => {
    assert.match(read('README.md'), /nginx and HAProxy spend less than half as much on a request/)
    for (const peer of ['nginx', 'haproxy']) assert.ok(cpu(peer) < cpu('ours-raw') / 2, peer)
  })

  test('of the proxies on Node, ours needs the least', () => {
    assert.match(read('README.md'), /Of the proxies on Node that were measured, it needs the least/)
    for (const peer of ['fast-proxy', 'reply-from', 'http-proxy', 'httpxy', 'http-proxy-3'])
      assert.ok(cpu(peer) > cpu('ours-checked') && cpu(peer) > cpu('ours-raw'), peer)
  })
})
