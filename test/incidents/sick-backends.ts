import { lasts, type Incident } from './incident.ts'

const refused = '3 connects in a row failed (last: connect-refused)'
const three = '3 failures in a row, at most 10 s apart'
const failures = '5 failures in a row (last: status 500)'
const slow = 'p90 99 ms, 10.1 × the median of its peers (9.8 ms)'
const hanging =
  'hanging: 4 requests have waited longer than 60 ms, the longest 3000 ms, and none got a response (median p90 of its peers 9.8 ms)'
const connectRefused = '3 probes in a row failed: connect ECONNREFUSED'
const silent = '3 probes in a row failed: no answer within 1999 ms'

/** What befalls one backend of five. */
export const sickBackends: readonly Incident[] = [
  {
    name: 'a backend was killed',
    stage: () => ({ ownProcess: true }),
    async cause(stage) {
      await stage.kill()
      await stage.pass(lasts)
    },
    seen: { 200: 700 },
    api: {
      path: '/balancers/shop',
      tells: {
        available: 4,
        totals: { requests: 700, failed: 0 },
        backends: [
          {
            id: 'b2',
            available: false,
            vetoes: [{ by: 'health-check', reason: connectRefused }],
            outcomes: { 'connect-refused': 4 },
            health: { state: 'down', lastProbe: { good: false, received: 'connect ECONNREFUSED' } },
          },
        ],
      },
    },
    log: {
      lines: [
        `backend b2 ejected for 31.5 s: ${refused}`,
        `circuit of backend b2 open for 10 s: ${three}`,
        `backend b2 unhealthy: ${connectRefused}`,
      ],
      requests: { forwarded: 700 },
    },
    metrics: {
      backends: 5,
      backends_available: 4,
      'backend_up{backend="b2"}': 0,
      'backend_vetoes{backend="b2",by="health-check"}': 1,
      'attempt_failures_total{backend="b2",reason="connect-refused",blame="backend"}': 4,
      'probes_total{backend="b2",outcome="bad"}': 15,
    },
    page: {
      title: '● 1 of 5 unhealthy – shop – fastify-balancer',
      rows: {
        b2: {
          State: /^unhealthy\s+health-check 3 probes in a row failed: connect ECONNREFUSED for 1 min/,
          Errors: /^4 17 %$/,
          Probe: /^connect ECONNREFUSED/,
        },
        b1: { State: /^healthy$/, Errors: /^0$/ },
      },
      events: [`b2 unhealthy (outlier-detection): ${refused}`, `b2 unhealthy (health-check): ${connectRefused}`],
    },
  },
  {
    name: 'a backend hangs',
    async cause(stage) {
      stage.backend('b2').delay = Infinity
      await stage.pass(lasts)
    },
    seen: { 200: 700 },
    api: {
      path: '/balancers/shop',
      tells: {
        available: 4,
        backends: [
          {
            id: 'b2',
            available: false,
            vetoes: [{ by: 'health-check', reason: silent }],
            outcomes: { 'headers-timeout': 6 },
            health: { state: 'down', lastProbe: { good: false, received: 'no answer within 1999 ms' } },
          },
        ],
      },
    },
    log: { lines: [`backend b2 ejected for 31.5 s: ${hanging}`, `backend b2 unhealthy: ${silent}`] },
    metrics: {
      'backend_up{backend="b2"}': 0,
      'backend_vetoes{backend="b2",by="health-check"}': 1,
      'attempt_failures_total{backend="b2",reason="headers-timeout",blame="backend"}': 6,
      'probe_duration_seconds{backend="b2"}': 1.999,
      'probe_good{backend="b2"}': 0,
      'ejections_total{backend="b2"}': 1,
    },
    page: {
      title: '● 1 of 5 unhealthy – shop – fastify-balancer',
      rows: {
        b2: {
          State: /^unhealthy\s+health-check 3 probes in a row failed: no answer within 1999 ms for \d+ s/,
          Errors: /^6 23 %$/,
          Probe: /^no answer within 1999 ms/,
        },
      },
      events: [`b2 unhealthy (outlier-detection): ${hanging}`, `b2 unhealthy (health-check): ${silent}`],
    },
  },
  {
    name: 'a backend is ten times slower',
    async cause(stage) {
      stage.backend('b2').delay *= 10
      await stage.pass(lasts, 25)
    },
    seen: { 200: 1600 },
    api: {
      path: '/balancers/shop',
      tells: {
        available: 4,
        backends: [{ id: 'b2', available: false, vetoes: [{ by: 'outlier-detection', reason: slow }] }],
      },
    },
    log: {
      lines: [`backend b2 ejected for 31.5 s: ${slow}`, `backend b2 ejected for 63 s: ${slow}`],
      requests: { forwarded: 1600 },
    },
    metrics: {
      'backend_up{backend="b2"}': 0,
      'backend_vetoes{backend="b2",by="outlier-detection"}': 1,
      'backend_response_seconds_bucket{backend="b2",le="0.05"}': 20,
      'backend_response_seconds_bucket{backend="b2",le="0.1"}': 75,
      'backend_response_seconds_bucket{backend="b1",le="0.05"}': 382,
      'ejections_total{backend="b2"}': 2,
    },
    page: {
      title: '● 1 of 5 unhealthy – shop – fastify-balancer',
      rows: {
        b2: {
          State:
            /^unhealthy\s+outlier-detection p90 99 ms, 10\.1 × the median of its peers \(9\.8 ms\) for \d+ s, back in \d+ s$/,
          Errors: /^0$/,
          Probe: /^HTTP 200/,
        },
      },
      events: [`b2 unhealthy (outlier-detection): ${slow}`],
    },
  },
  {
    name: 'a backend answers 500',
    async cause(stage) {
      stage.backend('b2').status = 500
      await stage.pass(lasts)
    },
    seen: { 200: 688, 500: 12 },
    api: {
      path: '/balancers/shop',
      tells: {
        available: 4,
        totals: { failed: 12 },
        backends: [
          {
            id: 'b2',
            available: false,
            vetoes: [{ by: 'outlier-detection', reason: failures }],
            failed: 12,
            responses: { '2xx': 20, '5xx': 12 },
          },
        ],
      },
    },
    log: {
      lines: [`backend b2 ejected for 31.5 s: ${failures}`, `backend b2 ejected for 63 s: ${failures}`],
      requests: { 'failed: status 500 after N, backend b2': 12, forwarded: 688 },
    },
    metrics: {
      'backend_up{backend="b2"}': 0,
      'responses_total{backend="b2",status="5xx"}': 12,
      'responses_total{backend="b1",status="5xx"}': 0,
      'failed_attempts_total{backend="b2"}': 12,
      'backend_vetoes{backend="b2",by="outlier-detection"}': 1,
    },
    page: {
      title: '● 1 of 5 unhealthy – shop – fastify-balancer',
      rows: {
        b2: {
          State: /^unhealthy\s+outlier-detection 5 failures in a row \(last: status 500\) for \d+ s, back in \d+ s$/,
          Errors: /^12 38 %$/,
          Probe: /^HTTP 200/,
        },
      },
      events: [`b2 unhealthy (outlier-detection): ${failures}`],
      failure: /^GET \/ 500 status 500 backend b2 status 500/,
    },
  },
]
