import assert from 'node:assert/strict'
import { ask } from '../support/ask.ts'
import type { Stage } from './stage.ts'
import { valuesOf } from './told.ts'

/** What clients saw, as figures of the product: requests that were shed have never come to the balancer. */
export interface Sums {
  readonly requests: number
  readonly failed: number
  readonly '2xx': number
  readonly '5xx': number
  readonly shed: number
}

/** The sums of what clients saw. How many were shed, only the product can say: clients see 503. */
export function sumsOf({ seen, app }: Stage): Sums {
  const shed = app.balancerShedding?.total ?? 0
  const all = Object.entries(seen)
  const of = (first: string) => all.reduce((sum, [status, count]) => sum + (status.startsWith(first) ? count : 0), 0)
  const failed = of('5') - shed
  return { requests: of('') - shed, failed, '2xx': of('2'), '5xx': failed, shed }
}

const total = (column: readonly (number | null)[]) => column.reduce<number>((sum, value) => sum + (value ?? 0), 0)

async function inApi(stage: Stage): Promise<Sums> {
  const { totals } = JSON.parse((await stage.order('GET', '/balancers/shop')).body)
  const { process } = JSON.parse((await stage.order('GET', '/balancers')).body)
  const { requests, failed, responses } = totals
  return { requests, failed, '2xx': responses['2xx'], '5xx': responses['5xx'], shed: process.shed }
}

async function inHistory(stage: Stage): Promise<Sums> {
  const { totals } = JSON.parse((await stage.order('GET', '/balancers/shop/history?range=5m')).body)
  const { requests, failed, responses, shed } = totals
  const classes = { '2xx': total(responses['2xx']), '5xx': total(responses['5xx']) }
  return { requests: total(requests), failed: total(failed), ...classes, shed: total(shed) }
}

async function inMetrics({ url }: Stage): Promise<Sums> {
  const values = Object.entries(valuesOf((await ask(`${url}/metrics`)).body))
  const of = (name: RegExp) => values.reduce((sum, [one, value]) => sum + (name.test(one) ? value : 0), 0)
  return {
    requests: of(/^requests_total/),
    failed: of(/^failed_requests_total/),
    '2xx': of(/^requests_total.*"2xx"/),
    '5xx': of(/^requests_total.*"5xx"/),
    shed: of(/^shed_requests_total/),
  }
}

function inLog({ log }: Stage): Sums {
  const { exchanges } = log
  const of = (first: number) => exchanges.filter(({ status }) => Math.floor(status / 100) === first).length
  // One line for the requests of every 10 s.
  const shed = log.all.reduce(
    (sum, { msg = '' }) => sum + Number(/^overloaded: (\d+) requests? refused/.exec(msg)?.[1] ?? 0),
    0,
  )
  const failed = exchanges.filter((line) => 'failed' in line).length
  return { requests: exchanges.length, failed, '2xx': of(2), '5xx': of(5), shed }
}

/** The API, the history, the metrics and the log agree with what clients saw, to the request. */
export async function assertAgreement(stage: Stage): Promise<void> {
  const sums = sumsOf(stage)
  const told = {
    api: await inApi(stage),
    history: await inHistory(stage),
    metrics: await inMetrics(stage),
    log: inLog(stage),
  }
  assert.deepEqual(told, { api: sums, history: sums, metrics: sums, log: sums })
}
