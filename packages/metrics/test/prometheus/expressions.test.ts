import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPrometheus, withoutPrometheus, type Found, type Prometheus } from './prometheus.ts'
import { startStage } from '../stage.ts'

const packed = new URL('../../', import.meta.url)

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}

/** The expressions of the dashboard and of what can be chosen there, as Grafana asks for them when everything is selected. */
function asked(): readonly string[] {
  const text = readFileSync(new URL('grafana-dashboard.json', packed), 'utf8')
  const { panels, templating } = JSON.parse(text) as Dashboard
  const shown = panels.flatMap(({ targets = [] }) => targets).map(({ expr }) => expr)
  const chosen = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]))
  const named = chosen.map((query) => /^label_values\((.*), \w+\)$/.exec(query)![1]!)
  return [...shown, ...named].map((expression) =>
    expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*'),
  )
}

/** Asks until there is something. */
async function untilFound(prometheus: Prometheus, expression: string, deadline: number): Promise<readonly Found[]> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const found = await prometheus.query(expression)
    if (found.some(({ value }) => value[1] !== 'NaN')) return found
    assert.ok(performance.now() < deadline, `nothing is found for ${expression}`)
    // oxlint-disable-next-line no-await-in-loop -- it scrapes meanwhile
    await after(20)
  }
}

test(
  'a Prometheus that scrapes a server finds something for every expression of the dashboard and of the alert rules',
  { skip: withoutPrometheus },
  async (t) => {
    const { host, burst } = await startStage(t)
    const rules = fileURLToPath(new URL('alert-rules.yaml', packed))
    const prometheus = await startPrometheus(t, [host], [rules])
    const deadline = performance.now() + 50_000
    // Everything goes wrong once, after the first scrape: of a counter that was not there then, no rate could be found.
    await untilFound(prometheus, 'up == 1', deadline)
    assert.equal(await prometheus.unitOf('fastify_balancer_request_duration_seconds'), 'seconds')
    await burst()
    const alerts = await prometheus.rules()
    assert.ok(alerts.length > 10)
    const expressions = [...asked(), ...alerts.map(({ query }) => query)]
    await Promise.all(expressions.map((expression) => untilFound(prometheus, expression, deadline)))
  },
)
