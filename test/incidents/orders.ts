import { lasts, type Incident } from './incident.ts'

const bad =
  'Bad request: backends.0.weight: expected a whole number from 1 to 65535, got -1; backends.1.maxInFlight: expected a whole number of at least 1, got 0'
const refusal = `maria tried to replace the backends of balancer shop, refused (400): ${bad}`
const drain = 'maria set b2: ready → drain (deadline 300 s)'
const weight = 'maria changed b2: weight 1 → 50'

/** What an operator does. */
export const orders: readonly Incident[] = [
  {
    name: 'an operator drained a backend',
    async cause(stage) {
      await stage.order('PUT', '/balancers/shop/backends/b2/state', { state: 'drain', deadline: 300_000 })
      await stage.pass(lasts)
    },
    seen: { 200: 700 },
    api: {
      path: '/balancers/shop',
      tells: {
        available: 4,
        backends: [{ id: 'b2', state: 'drain', vetoes: [{ by: 'drain', reason: 'ordered by maria', who: 'maria' }] }],
      },
    },
    log: { lines: [drain], requests: { forwarded: 700 } },
    metrics: {
      'backend_state{backend="b2",state="drain"}': 1,
      'backend_vetoes{backend="b2",by="drain"}': 1,
      backends_available: 4,
    },
    page: {
      title: 'fastify-balancer',
      rows: {
        b2: { State: /^draining\s+by maria, since [\d:]+ until [\d:]+ \(in 3 min\)$/, Errors: /^0$/ },
      },
      events: [drain],
    },
  },
  {
    name: 'an operator gave a backend the weight 50',
    async cause(stage) {
      await stage.order('PATCH', '/balancers/shop/backends/b2', { weight: 50 })
      await stage.pass(lasts)
    },
    seen: { 200: 700 },
    api: { path: '/events?recent=100&type=admin', events: [weight] },
    log: { lines: [weight], requests: { forwarded: 700 } },
    metrics: {
      revision: 2,
      'backend_weight{backend="b2"}': 50,
      'backend_weight{backend="b1"}': 1,
      'attempts_total{backend="b2",outcome="ok"}': 576,
      'attempts_total{backend="b1",outcome="ok"}': 31,
    },
    page: {
      title: 'fastify-balancer',
      rows: { b2: { State: /^healthy$/, Share: /^(90|100) %$/, Weight: /^50$/ }, b1: { Weight: /^1$/ } },
      events: [weight],
    },
  },
  {
    name: 'a bad list was refused',
    async cause(stage) {
      const backends = [
        { id: 'b1', url: 'http://10.0.0.1:3000', weight: -1 },
        { id: 'b2', url: 'http://10.0.0.2:3000', maxInFlight: 0 },
      ]
      await stage.order('PUT', '/balancers/shop/backends', { backends })
      await stage.pass(lasts)
    },
    seen: { 200: 700 },
    api: { path: '/events?recent=100&type=admin', events: [refusal] },
    log: { lines: [refusal], requests: { forwarded: 700 } },
    metrics: { revision: 1, 'changes_refused_total{status="400"}': 1, 'changes_refused_total{status="412"}': 0 },
    page: { title: 'fastify-balancer', events: [refusal] },
  },
]
