import { lasts, type Incident } from './incident.ts'

const failures = '5 failures in a row (last: status 500)'
const connectRefused = '3 probes in a row failed: connect ECONNREFUSED'
const full = 'but maxEjected (0.5) allows 2 of 5 backends, and 2 are out already'

/** What befalls all five. */
export const sickFleets: readonly Incident[] = [
  {
    name: 'all backends answer 500',
    async cause(stage) {
      for (const backend of stage.backends.values()) backend.status = 500
      await stage.pass(lasts)
    },
    seen: { 200: 100, 500: 600 },
    api: {
      path: '/balancers/shop',
      tells: {
        panicking: false,
        available: 3,
        totals: { requests: 700, failed: 600, responses: { '5xx': 600 } },
        backends: [
          { id: 'b1', available: false, vetoes: [{ by: 'outlier-detection', reason: failures }], failed: 12 },
          { id: 'b3', available: true, failed: 192, health: { notEjected: {} } },
        ],
      },
    },
    log: {
      lines: [
        `backend b1 ejected for 31.5 s: ${failures}`,
        `backend b3 unhealthy but not ejected: ${failures}, ${full}`,
        `backend b5 unhealthy but not ejected: ${failures}, ${full}`,
      ],
      requests: {
        'failed: status 500 after N, backend b1': 12,
        'failed: status 500 after N, backend b2': 12,
        'failed: status 500 after N, backend b3': 192,
        'failed: status 500 after N, backend b4': 192,
        'failed: status 500 after N, backend b5': 192,
      },
    },
    metrics: {
      backends_available: 3,
      panic: 0,
      failed_requests_total: 600,
      'requests_total{outcome="ok",status="5xx"}': 600,
      'failed_attempts_total{backend="b3"}': 192,
      'responses_total{backend="b3",status="5xx"}': 192,
    },
    page: {
      title: '● 2 of 5 unhealthy, 100 % errors – shop – fastify-balancer',
      rows: {
        b1: { State: /^unhealthy\s+outlier-detection 5 failures in a row \(last: status 500\)/, Errors: /^12 38 %$/ },
        b3: {
          State:
            /^healthy\s+not ejected \d+ failures in a row \(last: status 500\), but maxEjected \(0\.5\) allows 2 of 5/,
          Errors: /^202 91 %$/,
        },
      },
      events: [`b1 unhealthy (outlier-detection): ${failures}`],
      failure: /^GET \/ 500 status 500 backend b\d status 500/,
    },
  },
  {
    name: 'all backends are down',
    async cause(stage) {
      for (const backend of stage.backends.values()) await backend.die()
      await stage.pass(lasts)
    },
    seen: { 200: 100, 502: 600 },
    api: {
      path: '/balancers/shop',
      tells: {
        panicking: true,
        available: 0,
        eligible: 5,
        totals: { failed: 600, outcomes: { 'connect-refused': 600 } },
        backends: ['b1', 'b2', 'b3', 'b4', 'b5'].map((id) => ({
          id,
          available: false,
          vetoes: [{ by: 'health-check', reason: connectRefused }],
          health: { state: 'down', lastProbe: { received: 'connect ECONNREFUSED' } },
        })),
      },
    },
    log: {
      lines: [
        'panic mode: 0 of 5 backends are healthy, all 5 are used',
        `backend b1 unhealthy: ${connectRefused}`,
        `backend b5 unhealthy: ${connectRefused}`,
      ],
    },
    metrics: {
      backends_available: 0,
      backends_eligible: 5,
      panic: 1,
      'failures_total{reason="connect-refused",blame="backend"}': 600,
      'requests_total{outcome="connect-refused",status="5xx"}': 600,
      'backend_up{backend="b1"}': 0,
      'backend_up{backend="b5"}': 0,
    },
    page: {
      title: '● 5 of 5 unhealthy, panic mode, 100 % errors – shop – fastify-balancer',
      alert: /^Panic mode All 5 backends are unhealthy\. Health is ignored and requests are tried on all of them\.$/,
      rows: {
        b1: {
          State:
            /^unhealthy\s+[^]*health-check 3 probes in a row failed: connect ECONNREFUSED[^]*panic mode gets requests/,
          Errors: /^630 97 %$/,
          Probe: /^connect ECONNREFUSED/,
        },
        b5: { State: /^unhealthy/, Probe: /^connect ECONNREFUSED/ },
      },
      events: [
        'panic mode: 0 of 5 backends are healthy, all 5 are used',
        `b1 unhealthy (health-check): ${connectRefused}`,
      ],
      failure: /^GET \/ 502 connect-refused backend b\d connect-refused/,
    },
  },
]
