import type { Static } from '@sinclair/typebox'
import type { HistoryView } from '../schemas/past-views.ts'
import { writeList, WrittenView, type Written } from '../views/written-view.ts'
import { instance } from './instance.ts'
import { balancerColumn, type Recorder } from './recorder.ts'
import type { Range } from './resolutions.ts'
import { column, type Series } from './series.ts'
import { Window } from './window.ts'

type View = Static<typeof HistoryView>

function totals({ own, balancer }: Recorder, window: Window): View['totals'] {
  const { ended, failed, retries, p50, p95, p99, inFlight, waiting, refused, shed } = balancerColumn
  return {
    requests: window.column(own, ended),
    failed: window.column(own, failed),
    retries: window.column(own, retries),
    responses: window.responses(own),
    p50: window.percentiles(own, p50, 0.5),
    p95: window.percentiles(own, p95, 0.95),
    p99: window.percentiles(own, p99, 0.99),
    inFlight: window.column(own, inFlight, balancer.exchanges - balancer.tunnels.size),
    waiting: window.column(own, waiting, balancer.queue.length),
    refused: window.column(own, refused),
    shed: window.column(own, shed),
  }
}

function ofBackend(id: string, series: Series, inFlight: number, window: Window): View['backends'][number] {
  return {
    id,
    attempts: window.column(series, column.ended),
    failed: window.column(series, column.failed),
    responses: window.responses(series),
    p95: window.percentiles(series, column.p95, 0.95),
    inFlight: window.column(series, column.inFlight, inFlight),
  }
}

/** The history of a balancer over a range of time. A long one is written in slices, so that requests run in between. */
export async function historyView(recorder: Recorder, range: Range, withBackends: boolean): Promise<Written<View>> {
  const at = recorder.follow()
  recorder.countShed()
  const { balancer, backends, since, steps } = recorder
  const window = new Window(range, steps)
  const { step, times } = window
  const rest = { balancer: balancer.name, instance, at, since, step, times, totals: totals(recorder, window) }
  const busy = withBackends
    ? [...backends].filter(([id, series]) => backends.inFlight(id) > 0 || window.has(series))
    : []
  const write = ([id, series]: (typeof busy)[number]) =>
    JSON.stringify(ofBackend(id, series, backends.inFlight(id), window))
  const text = await writeList(`${JSON.stringify(rest).slice(0, -1)},"backends":[`, busy, write, ']}')
  return new WrittenView(text) as Written<View>
}
