import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { startProgram } from '../../../test/support/program.ts'
import metrics from '../src/index.ts'
import { labelsOf } from './scrape.ts'
import { startStage } from './stage.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the README names every metric, and no other', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [] })
  await app.register(metrics)
  const there = app.balancerMetrics.registry.getMetricsAsArray().map(({ name }) => name)
  assert.deepEqual([...new Set(readme.match(/\bfastify_balancer_\w+/g))].sort(), there.sort())
})

test('the README names the labels of every metric, beside those that all in its table have', async (t) => {
  const { app, burst } = await startStage(t)
  await burst()
  const rows = readme.split('\n').filter((line) => line.includes('`fastify_balancer_'))
  for (const [name, labels] of await labelsOf(app)) {
    const row = rows.find((one) => one.includes(`\`${name.replace(/_(?:bucket|sum|count)$/, '')}\``))
    for (const label of labels)
      if (!['balancer', 'backend', 'mirror', 'le'].includes(label))
        assert.ok(row!.includes(`\`${label}\``), `${label} of ${name}`)
  }
})

/** What is loaded before the program: an SDK that writes each span as it ends. */
const sdk = `
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

const write = ({ name, kind }) => console.log(\`span \${kind} \${name}\`)
const exporter = { export: (spans, done) => (spans.forEach(write), done({ code: 0 })), shutdown: async () => {} }
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
`

test('the example of tracing does what it says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const own = fileURLToPath(new URL('../', import.meta.url))
  for (const name of [
    'fastify',
    '@fastify',
    '@opentelemetry',
    '@fastify-balancer/balancer-core',
    '@fastify-balancer/metrics',
  ]) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(name.endsWith('/metrics') ? own : join(own, 'node_modules', name), place)
  }
  const backend = await startBackend(t)
  const [, code] = /^## Tracing\n+```ts\n(.*?)^```$/ms.exec(readme)!
  const program = code!
    .replace("'http://10.0.0.1:3000', 'http://10.0.0.2:3000'", `'${backend.url}'`)
    .replace('Fastify()', 'Fastify({ logger: true })')
    .replace('port: 8080', "port: 0, host: '127.0.0.1'")
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'sdk.ts'), sdk)
  writeFileSync(join(folder, 'app.ts'), program)
  const running = startProgram(t, join(folder, 'app.ts'), { env: { NODE_OPTIONS: '--import ./sdk.ts' }, cwd: folder })
  const [, url] = await running.until(/listening at (http:\/\/127\.0\.0\.1:\d+)/)
  assert.equal((await ask(url!)).status, 200)
  // By the numbers of their kinds: server, internal, client.
  for (const span of ['1 request', '0 forward default', '2 GET']) await running.until(new RegExp(`^span ${span}$`))
  assert.match(String(backend.received[0]!.headers['traceparent']), /^00-[\da-f]{32}-[\da-f]{16}-01$/)
  assert.deepEqual(running.stderr, [])
})
