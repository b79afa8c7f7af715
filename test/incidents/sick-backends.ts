import type { Incident } from './incident.ts'

/** How long an incident has lasted when somebody looks (s). */
const lasts = 60

const refused = '3 connects in a row failed (last: connect-refused)'
const three = '3 failures in a row, at most 10 s apart'
const failures = '5 failures in a row (last: status 500)'
const slow = 'p90 99 ms, 10.1 × the median of its peers (9.8 ms)'
const hanging =
  'hanging: 4 requests have waited longer than 60 ms, the longest 3000 ms, and none got a response (median p90 of its peers 9.8 ms)'
const connectRefused = '3 probes in a row failed: connect ECONNREFUSED'
const silent = '3 probes in a row failed: no answer within 1999 ms'
const full = 'but maxEjected (0.5) allows 2 of 5 backends, and 2 are out already'
const back = '2 probes in a row succeeded: HTTP 200'

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
          State: /^unhealthy\s+health-check 3 probes in a row failed: connect ECONNREFUSED for \d+ s/,
          Errors: /^4 15 %$/,
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
  {
    name: 'a backend is flapping',
    async cause(stage) {
      const b2 = stage.backend('b2')
      for (let turn = 0; turn < 3; turn++) {
        await b2.die()
        await stage.pass(lasts / 6)
        await b2.live()
        await stage.pass(lasts / 6)
      }
    },
    seen: { 200: 700 },
    api: {
      path: '/events?recent=100&type=veto,circuit',
      events: [
        `b2 laid outlier-detection: ${refused}`,
        `b2 laid outlier-detection: ${refused}`,
        `b2 laid outlier-detection: ${refused}`,
        `b2 lifted health-check: ${connectRefused}`,
        `b2 lifted health-check: ${connectRefused}`,
        `b2 lifted health-check: ${connectRefused}`,
        'b2 half-open → closed: a trial succeeded',
        'b2 half-open → closed: a trial succeeded',
        'b2 half-open → closed: a trial succeeded',
      ],
    },
    log: {
      lines: [
        `backend b2 ejected for 31.5 s: ${refused}`,
        `backend b2 back in rotation: ${back}`,
        `backend b2 ejected for 63 s: ${refused}`,
        `backend b2 still kept out by circuit-breaker; no longer by health-check: ${back}`,
        `backend b2 ejected for 94.5 s: ${refused}`,
        `backend b2 still kept out by circuit-breaker; no longer by health-check: ${back}`,
        'circuit of backend b2 closed: a trial succeeded',
        'circuit of backend b2 closed: a trial succeeded',
        'circuit of backend b2 closed: a trial succeeded',
      ],
    },
    metrics: {
      'backend_up{backend="b2"}': 1,
      'ejections_total{backend="b2"}': 3,
      'circuit_openings_total{backend="b2"}': 3,
      'probes_total{backend="b2",outcome="bad"}': 15,
      retries_total: 12,
    },
    page: {
      title: 'fastify-balancer',
      rows: { b2: { State: /^healthy$/, Errors: /^12 22 %$/, Probe: /^HTTP 200/ } },
      events: [
        `b2 unhealthy (outlier-detection): ${refused}`,
        `b2 unhealthy (health-check): ${connectRefused}`,
        `b2 no longer kept out by health-check (was: ${connectRefused})`,
      ],
    },
  },
]

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
      title: '● 2 of 5 unhealthy – shop – fastify-balancer',
      rows: {
        b1: { State: /^unhealthy\s+outlier-detection 5 failures in a row \(last: status 500\)/, Errors: /^12 38 %$/ },
        b3: {
          State:
            /^healthy\s+not ejected \d+ failures in a row \(last: status 500\), but maxEjected \(0\.5\) allows 2 of 5/,
          Errors: /^192 91 %$/,
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
      title: '● 5 of 5 unhealthy, panic mode – shop – fastify-balancer',
      alert: /^Panic mode All 5 backends are unhealthy\. Health is ignored and requests are tried on all of them\.$/,
      rows: {
        b1: {
          State:
            /^unhealthy\s+[^]*health-check 3 probes in a row failed: connect ECONNREFUSED[^]*panic mode gets requests/,
          Errors: /^600 97 %$/,
          Probe: /^connect ECONNREFUSED/,
        },
        b5: { State: /^unhealthy/, Probe: /^connect ECONNREFUSED/ },
      },
      events: [
        'panic mode began: 0 of 5 backends healthy; health is ignored, requests are tried on 5',
        `b1 unhealthy (health-check): ${connectRefused}`,
      ],
      failure: /^GET \/ 502 connect-refused backend b\d connect-refused/,
    },
  },
]
