import { lasts, type Incident } from './incident.ts'

/** More than a test needs otherwise (bytes). */
const room = 100 * 2 ** 20

const isFull = 'queue of balancer shop full: requests are refused (max 5, 5 backends at their limit of 2)'
const summary = 'queue of balancer shop full: 50 requests refused in 10 s (max 5, no backend at its limit now)'

const piece = () => Array.from({ length: 1e6 }, () => 0.5)

/** Fills the heap of this process until it is overloaded; and as much again, since there may be garbage to collect. */
async function fill(isOverloaded: () => boolean): Promise<readonly unknown[]> {
  const filling: unknown[] = []
  while (!isOverloaded()) {
    filling.push(piece())
    await new Promise(setImmediate)
  }
  return [filling, filling.map(piece)]
}

/** More than can be carried. */
export const tooMuchLoad: readonly Incident[] = [
  {
    name: 'the queue is full',
    stage: () => ({ balancer: { pool: { connections: 2 }, queue: { max: 5 } } }),
    cause: (stage) => stage.pass(lasts, 20),
    seen: { 200: 1000, 503: 300 },
    api: {
      path: '/balancers/shop',
      tells: {
        totals: { failed: 300, outcomes: { 'queue-full': 300 } },
        queue: { waiting: 0, max: 5, refused: 300 },
        backends: [{ id: 'b1', available: true, limit: 2 }],
      },
    },
    log: { lines: [isFull, ...Array<string>(6).fill(summary)], requests: { 'not forwarded: queue-full': 300 } },
    metrics: {
      queue_limit: 5,
      'queue_refusals_total{reason="queue-full"}': 300,
      'failures_total{reason="queue-full",blame="proxy"}': 300,
      backends_available: 5,
    },
    page: {
      title: '● refusing requests, 25 % errors – shop – fastify-balancer',
      rows: { b1: { State: /^healthy$/, Errors: /^0$/ } },
      events: [isFull],
      sums: { Queue: '0 of 5 waiting, 300 refused as full' },
      failure: /^GET \/ 503 queue-full proxy none/,
    },
  },
  {
    name: 'the process is overloaded',
    stage: () => ({
      balancer: {
        underPressure: {
          maxEventLoopDelay: 0,
          maxHeapUsedBytes: process.memoryUsage().heapUsed + room,
          sampleInterval: 20,
        },
      },
    }),
    async cause(stage) {
      stage.keep(await fill(() => stage.app.isUnderPressure()))
      await stage.pass(lasts)
    },
    seen: { 200: 100, 503: 600 },
    api: { path: '/balancers', tells: { process: { overloaded: true, shed: 600 } } },
    log: {
      lines: [
        'overloaded: requests get 503 (used heap N MiB, limit N MiB)',
        ...Array<string>(6).fill('overloaded: 100 requests refused in 10 s (used heap N MiB, limit N MiB)'),
      ],
      requests: { forwarded: 100 },
    },
    metrics: { shed_requests_total: 600, backends_available: 5 },
    page: {
      title: '● overloaded – fastify-balancer',
      alert: /^Overloaded This process is overloaded: new requests get 503, 630 since the start\.$/,
      events: ['overloaded: requests get 503 (used heap N MiB, limit N MiB)'],
      process: { Shed: '600' },
    },
  },
]
