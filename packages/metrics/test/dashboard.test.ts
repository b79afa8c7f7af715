import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { labelsOf } from './scrape.ts'
import { startStage } from './stage.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[]
  }
}

const packed = new URL('../', import.meta.url)
const dashboard = JSON.parse(readFileSync(new URL('grafana-dashboard.json', packed), 'utf8')) as Dashboard
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets)

/** Every series that Prometheus would have of a server that has seen everything, with its labels, `instance` from Prometheus. */
async function seriesOf(t: TestContext): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { app, burst } = await startStage(t)
  await burst()
  const labelled = await labelsOf(app)
  return new Map([...labelled].map(([name, labels]) => [name, new Set([...labels, 'instance'])]))
}

/** The labels that an expression asks for: in matchers, and in `by (…)`. */
function labelsIn(expression: string): string[] {
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(','))
  const matched = [...expression.matchAll(/(\w+)\s*(?:=~|!=|!~|=)\s*"/g)].map(([, label]) => label!)
  return [...grouped, ...matched].map((label) => label.trim())
}

test('the dashboard asks for metrics and labels that are there', async (t) => {
  const series = await seriesOf(t)
  const variables = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]))
  const expressions = [...queries.map(({ expr }) => expr), ...variables]
  assert.ok(expressions.length > 15)
  for (const expression of expressions) {
    const names = expression.match(/\bfastify_balancer_\w+/g) ?? []
    assert.ok(names.length > 0, expression)
    for (const name of names) {
      const labels = series.get(name)
      assert.ok(labels !== undefined, `${name} of ${expression}`)
      for (const label of labelsIn(expression)) assert.ok(labels.has(label), `${label} of ${name}`)
    }
  }
  // What can be chosen narrows every query.
  for (const { expr } of queries)
    for (const [, name, matchers] of expr.matchAll(/\b(fastify_balancer_\w+)\{([^}]*)\}/g))
      for (const label of ['instance', 'balancer', 'backend'])
        if (series.get(name!)!.has(label)) assert.ok(matchers!.includes(`${label}=~"$${label}"`), `${label} of ${name}`)
  for (const query of variables) {
    const [, name, label] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(query)!
    assert.ok(series.get(name!)!.has(label!), query)
  }
})

test('what a legend shows, its query keeps; what a query is narrowed by, can be chosen', () => {
  const variables = new Set(dashboard.templating.list.map(({ name }) => `$${name}`))
  for (const { expr, legendFormat } of queries) {
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      assert.ok(labelsIn(expr).includes(label!), `${label} of ${expr}`)
    for (const variable of expr.match(/\$(?!__)\w+/g) ?? [])
      assert.ok(variables.has(variable), `${variable} of ${expr}`)
  }
})

test('its panels have their own places', () => {
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    assert.ok(x + w <= 24)
    return Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`)
  })
  assert.equal(new Set(cells).size, cells.length)
})

test('it is part of the package, and so are the alert rules', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', packed), 'utf8')) as {
    readonly files: readonly string[]
  }
  for (const file of ['grafana-dashboard.json', 'alert-rules.yaml']) assert.ok(manifest.files.includes(file), file)
})
