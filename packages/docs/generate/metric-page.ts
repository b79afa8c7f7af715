import balancer from '@fastify-balancer/balancer-core'
import metrics from '@fastify-balancer/metrics'
import Fastify from 'fastify'
import { anchored, code, page, table } from './markdown.ts'

/** A metric without its values. */
interface Metric {
  readonly name: string
  readonly help: string
  readonly type: string
}

function unitOf(name: string): string {
  const [, unit = ''] = /_(seconds|bytes)(?:_total)?$/.exec(name) ?? []
  return unit === 'seconds' ? 's' : unit
}

/** Every metric of the plugin, whether or not there is anything to count. */
export async function metricPage(): Promise<string> {
  const app = Fastify()
  await app.register(balancer, { backends: [] })
  await app.register(metrics)
  const all = app.balancerMetrics.registry.getMetricsAsArray() as unknown as readonly Metric[]
  await app.close()
  const rows = all.map(({ name, type, help }) => [anchored(name, code(name)), type, unitOf(name), help])
  const about = [
    '`metrics: {}` serves them at `/metrics`, for Prometheus or OpenMetrics. Each has the label `balancer`, those of a backend `backend` as well;',
    'other labels are in [the README of metrics](../../metrics/README.md), which also has a Grafana dashboard.',
  ].join(' ')
  return page('Metrics', about, table(['metric', 'type', 'unit', 'meaning'], rows))
}
