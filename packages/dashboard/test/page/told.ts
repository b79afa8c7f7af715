import type { InstancesView, InstanceView } from '../../page/api/instance-views.ts'
import type { HistoryView } from '../../page/api/past-views.ts'
import type { BackendFigures, BackendView, BalancerSummary, BalancerView, Figures } from '../../page/api/views.ts'

/** Some second of the epoch, in ms. */
export const start = 1_700_000_000_000

/** Figures of a backend in one second. */
export function backendFigures(id: string, requests: number, p95: number | null = 20): BackendFigures {
  const latency = p95 === null ? null : { p50: p95 / 2, p95, p99: 2 * p95 }
  return { id, requests, failed: 0, inFlight: 1, tunnels: 0, latency }
}

/** Figures of one second; of the balancer `api`, `second` seconds after the start. */
export function figures(second: number, rest: Partial<Figures> = {}): Figures {
  return {
    balancer: 'api',
    at: start + 1000 * second,
    seconds: 1,
    requests: 100,
    failed: 5,
    retries: 2,
    responses: { '2xx': 90, '3xx': 0, '4xx': 6, '5xx': 4 },
    latency: { p50: 10, p95: 20, p99: 40 },
    exchanges: 3,
    tunnels: 0,
    waiting: 1,
    backends: [],
    ...rest,
  }
}

/** A backend that is well. */
export function backendView(id: string, rest: Partial<BackendView> = {}): BackendView {
  return {
    id,
    url: `http://${id}:3000`,
    weight: 1,
    effectiveWeight: 1,
    priority: 0,
    maxInFlight: 10,
    limit: 10,
    tags: [],
    state: 'ready',
    available: true,
    eligible: true,
    vetoes: [],
    inFlight: 0,
    tunnels: 0,
    responses: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    outcomes: {},
    ...rest,
  }
}

/** A balancer of such backends. */
export function balancerView(name: string, ...ids: readonly string[]): BalancerView {
  return {
    name,
    policy: 'p2c',
    drainDeadline: 30_000,
    revision: 1,
    panicking: false,
    closing: false,
    queue: { waiting: 0, max: 1024, refused: 0 },
    totals: { outcomes: {} },
    backends: ids.map((id) => backendView(id)),
    revisions: [{ revision: 1, at: start, backends: ids.length }],
  }
}

/** A balancer of five backends in the list of all. */
export function balancerSummary(name: string, rest: Partial<BalancerSummary> = {}): BalancerSummary {
  return {
    name,
    policy: 'p2c',
    revision: 1,
    panicking: false,
    closing: false,
    backends: 5,
    available: 5,
    exchanges: 0,
    queue: { waiting: 0, max: 1024, refused: 0 },
    ...rest,
  }
}

/** The past of `count` periods of 10 s until `last` seconds after the start; each backend had half of the requests. */
export function historyView(last: number, count: number, ...ids: readonly string[]): HistoryView {
  const column = (value: number | null) => Array.from({ length: count }, () => value)
  return {
    at: start + 1000 * last,
    since: 0,
    step: 10_000,
    times: Array.from({ length: count }, (_, index) => start + 1000 * last - 10_000 * (count - index)),
    totals: {
      requests: column(200),
      failed: column(20),
      retries: column(10),
      responses: { '2xx': column(150), '3xx': column(10), '4xx': column(20), '5xx': column(20) },
      p50: column(5),
      p95: column(50),
      p99: column(500),
    },
    backends: ids.map((id) => ({ id, attempts: column(100), failed: column(10), p95: column(40) })),
  }
}

/** An instance that is well, with one list. */
export function instanceView(id: string, rest: Partial<InstanceView> = {}): InstanceView {
  return {
    id,
    state: 'ready',
    since: start,
    answered: true,
    process: { pid: 4711, cpu: 0.25, rss: 90 * 2 ** 20, heapUsed: 30 * 2 ** 20, eventLoopUtilized: 0.2 },
    exchanges: 2,
    tunnels: 0,
    requests: 1000,
    balancers: [{ name: 'api', revision: 7, digest: 'same', drift: false }],
    ...rest,
  }
}

/** Such instances, the first of which is the keeper. */
export function instancesView(...instances: readonly InstanceView[]): InstancesView {
  const [first] = instances
  return { self: first!.id, keeper: first!.id, instances }
}
